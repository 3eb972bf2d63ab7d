package io.lockstep.litmus.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A candidate execution while it grows: which write each read returns, and what follows from that under one model.
 * Everything it knows only ever grows, so an execution found inconsistent stays so.
 */
public abstract class Execution {
    /** Where a read may take its value from. */
    public record Sight(Event write, boolean defined) {}

    /** Two accesses that conflict and that nothing orders. */
    public record Race(Event first, Event second) {}

    /** A pair whose order the model leaves open: it must be one way or the other. */
    public record Choice(int first, int second) {}

    private final Program program;
    private final int[] source;
    private boolean refuted;

    /** Nothing read yet. */
    protected Execution(Program program) {
        this.program = program;
        this.source = new int[program.events().size()];
        java.util.Arrays.fill(source, -1);
    }

    /** The same so far. */
    protected Execution(Execution other) {
        this.program = other.program;
        this.source = other.source.clone();
        this.refuted = other.refuted;
    }

    /** What is being executed. */
    public final Program program() {
        return program;
    }

    /** The write that a read returns, or -1 while that is open. */
    public final int source(int read) {
        return source[read];
    }

    /** Let a read return a write; gives false if the model forbids it. */
    public final boolean readFrom(Event read, Event write) {
        source[read.id()] = write.id();
        return link(read, write) && consistent();
    }

    /**
     * Let a read return a write, which may be a later one than before; {@link #holds} tells whether that is allowed.
     */
    final void assume(Event read, Event write) {
        source[read.id()] = write.id();
        refuted |= !link(read, write);
    }

    /** Whether the model allows what is known so far. */
    final boolean holds() {
        return !refuted && consistent();
    }

    /** Whether a strong read may return a write as far as coherence and what is known go. */
    abstract boolean permits(Event read, Event write);

    /** An execution of its own that is the same so far. */
    public abstract Execution copy();

    /** Draw the conclusions of a read returning a write; gives false if the model forbids it. */
    protected abstract boolean link(Event read, Event write);

    /** Whether the model's axioms hold for what is known so far. */
    protected abstract boolean consistent();

    /** A pair of writes or fences that still has to be ordered, or null. */
    public abstract @Nullable Choice open();

    /** Order a pair; gives false if the model forbids it. */
    public abstract boolean choose(int first, int second);

    /** What a weak read may return, given all strong reads. */
    public abstract List<Sight> sights(Event read);

    /** The conflicting accesses that nothing orders. */
    public abstract List<Race> races();

    /** Whether the model orders one event before another. */
    public abstract boolean ordered(Event first, Event second);

    /** Whether one write comes before another at their location. */
    public abstract boolean overwrites(Event earlier, Event later);

    /** The operations that a release pattern ending in a write may begin with. */
    abstract List<Event> releases(Event write);

    /** The operations that an acquire pattern beginning with a read may end with. */
    abstract List<Event> acquires(Event read);

    /** Whether two strong operations reach each other: each one's scope holds the other. */
    abstract boolean reach(Event a, Event b);
}
