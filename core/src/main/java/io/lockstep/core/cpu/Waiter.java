package io.lockstep.core.cpu;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.posix.Futex;
import io.lockstep.core.posix.RawMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** How one lane waits for signals and wakes those that wait for its own. */
final class Waiter {
    private static final long NAP_NANOS = 1_000_000;
    private static final int YIELDS_BETWEEN_LOOKS = 64;

    private final SharedWords words;
    private final Waiting waiting;
    private final Watch watch;
    private final MemorySegment memory;
    private final int rank;
    private final @Nullable Futex futex;

    /**
     * @param memory the plan's memory, in which the signals lie
     * @param watch who says whether waiting still makes sense
     * @param canSleep whether the kernel can sleep on a word of that memory
     */
    Waiter(SharedWords words, Waiting waiting, Watch watch, MemorySegment memory, int rank, boolean canSleep) {
        this.words = words;
        this.waiting = waiting;
        this.watch = watch;
        this.memory = memory;
        this.rank = rank;
        this.futex = canSleep ? new Futex() : null;
    }

    /**
     * Waits until the signal holds the word, the place of an input aside. Pairs with the publish of a lane; makes what
     * that speaks of visible. Without it: litmus cpu-one-shot, cpu-two-shot.
     *
     * @return the word with that place
     */
    long await(long signal, long expected, int peer, String what) {
        for (int i = 0; i < waiting.spins(); i++) {
            Thread.onSpinWait();
            long word = words.await(signal);
            if (Lane.matches(word, expected)) {
                return word;
            }
        }
        return awaitPatiently(signal, expected, peer, what);
    }

    // To yield is the point: the rank that is awaited may need this processor. Pairs as await does. Without it: litmus
    // cpu-one-shot, cpu-two-shot.
    private long awaitPatiently(long signal, long expected, int peer, String what) {
        long start = System.nanoTime();
        for (int round = 1; ; round++) {
            long word = words.await(signal);
            if (Lane.matches(word, expected)) {
                return word;
            }
            if (Lane.isOfAnotherCall(word, expected)) {
                throw watch.disagreement(peer);
            }
            boolean look = round % YIELDS_BETWEEN_LOOKS == 0;
            if (round <= waiting.yields()) {
                Thread.yield();
            } else {
                sleep(signal, word);
                look = true;
            }
            if (look) {
                look(signal, expected, peer, what, start);
            }
        }
    }

    /**
     * Whether waiting still makes sense. Pairs as {@link #await} does. Without it: litmus cpu-one-shot, cpu-two-shot.
     */
    private void look(long signal, long expected, int peer, String what, long start) {
        RuntimeException reason = watch.whyNotWait(peer);
        // What the peer published before it went is as good as ever.
        if (reason != null && !Lane.matches(words.await(signal), expected)) {
            throw reason;
        }
        long waited = System.nanoTime() - start;
        if (waited > waiting.deadline().toNanos()) {
            throw new CollectiveTimeoutException(watch.where() + ": waited " + waited / 1_000_000 + " ms for " + what
                    + " of " + watch.describe(peer) + ", which " + watch.lastHeard(peer) + ".");
        }
    }

    /**
     * Sleeps on the signal while it holds what was seen. Pairs as {@link #await} does. Without it: litmus cpu-one-shot,
     * cpu-two-shot.
     */
    private void sleep(long signal, long seen) {
        if (futex == null) {
            LockSupport.parkNanos(NAP_NANOS / 10);
            return;
        }
        long mine = signal + PlanLayout.ASLEEP + rank;
        RawMemory.ALL.set(ValueLayout.JAVA_BYTE, mine, (byte) 1);
        // Pairs with the fence in wake: either the waker sees the sleeper, or the sleeper sees the word.
        words.fence();
        if (words.await(signal) == seen) {
            futex.sleep(memory, signal - memory.address(), (int) seen, NAP_NANOS);
        }
        RawMemory.ALL.set(ValueLayout.JAVA_BYTE, mine, (byte) 0);
    }

    /** After a publish: wakes those that sleep on the signal. */
    void wake(long signal) {
        if (waiting.crowded()) {
            words.fence();
        }
        if (futex != null && words.peek(signal + PlanLayout.ASLEEP) != 0) {
            futex.wake(memory, signal - memory.address(), Integer.MAX_VALUE);
        }
    }
}
