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
    /**
     * What the model orders whoever reads what: program order, barriers, kernel boundaries, and what is concluded
     * since; transitive. Barriers wait for each other, so it has cycles among them and nowhere else.
     */
    final Relation order;
    /** The order of the writes of each location, transitive, as far as it is forced or chosen; initial writes first. */
    final Relation writeOrder;
    /** Dependencies and reads-from, transitive: no value comes out of thin air. */
    private final Relation thinAir;

    private final int[] source;
    private boolean refuted;

    /** Nothing read yet. */
    protected Execution(Program program, boolean localBarriersOrder) {
        this.program = program;
        order = program.programOrder().copy();
        writeOrder = new Relation(program.events().size());
        thinAir = program.dependency().copy();
        for (Event first : program.events()) {
            for (Event second : program.events()) {
                if (program.meets(first, second)
                        || (localBarriersOrder && program.meetsLocally(first, second))
                        || program.crossesBoundary(first, second)) {
                    order.addClosed(first.id(), second.id());
                }
            }
        }
        for (int location = 0; location < program.locations().size(); location++) {
            List<Event> writes = program.writes(location);
            for (Event later : writes.subList(1, writes.size())) {
                writeOrder.addClosed(writes.getFirst().id(), later.id());
            }
        }
        this.source = new int[program.events().size()];
        java.util.Arrays.fill(source, -1);
    }

    /** The same so far. */
    protected Execution(Execution other) {
        this.program = other.program;
        this.order = other.order.copy();
        this.writeOrder = other.writeOrder.copy();
        this.thinAir = other.thinAir.copy();
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
        return follows(read, write) && consistent();
    }

    /**
     * Let a read return a write, which may be a later one than before; {@link #holds} tells whether that is allowed.
     */
    final void assume(Event read, Event write) {
        source[read.id()] = write.id();
        refuted |= !follows(read, write);
    }

    private boolean follows(Event read, Event write) {
        if (thinAir.has(read.id(), write.id())) {
            return false;
        }
        thinAir.addClosed(write.id(), read.id());
        link(read, write);
        return true;
    }

    /** Whether the model allows what is known so far. */
    final boolean holds() {
        return !refuted && consistent();
    }

    /** Whether a strong read may return a write as far as coherence and what is known go. */
    abstract boolean permits(Event read, Event write);

    /** An execution of its own that is the same so far. */
    public abstract Execution copy();

    /** Draw the conclusions of a read returning a write. */
    protected abstract void link(Event read, Event write);

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
