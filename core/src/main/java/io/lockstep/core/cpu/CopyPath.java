package io.lockstep.core.cpu;

import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.posix.RawMemory;
import io.lockstep.core.posix.StreamingCopy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How a lane copies to its staging memory, whose lines lie in the caches of the ranks that read them last. Near cores
 * give them back quickly, and ordinary stores are best; from distant ones each line takes long, and stores past the
 * caches are best. The ranks of a group may move from near to far and back within seconds, so now and then an ordinary
 * copy is timed, and its speed decides for the next ones.
 *
 * <p>Near, the lines of the next copy but one can be claimed: a byte is stored in each, and the cache fetches them
 * while the lane computes. It can be done in three parts with arithmetic between them, since stores go to memory in
 * their order, and those of the arithmetic would stall behind too many claims.
 */
final class CopyPath {
    /** Smaller copies take less time than to decide. */
    private static final int SMALLEST = 2048;

    private static final int CACHE_LINE = 64;

    /** Copies from one decision to the next. */
    private static final int DECIDED_EVERY = 64;

    /** So many ordinary copies are timed for a decision, and all but the first count: that one comes as a surprise. */
    private static final int PROBES = 4;

    /**
     * An ordinary copy slower than this is one to a distant core. Measured, in bytes a nanosecond: on Zen 4 9 to 25
     * near and 2.3 far, on Zen 3 5 far, on Zen 5 40 to 100 near and 6 to 8 far.
     */
    private static final double DISTANT_BYTES_PER_NANO = 8.5;

    /** What a timed copy takes whatever its size: the clock, the fence, the way to the first line. */
    private static final int START_NANOS = 200;

    /** So often a timed copy is tried before one counts, so that it is compiled: it is a rare one afterwards. */
    private static final int WARM_UP = 20_000;

    /** Nanoseconds until an ordinary copy is tried again: short beside the seconds that a rank stays where it is. */
    private static final long RETRY_NANOS = 50_000_000;

    private final boolean canStream = Kernels.preferredVectorBits() >= 256 && StreamingCopy.isThere();
    private final SharedWords words;
    private boolean distant;
    private long decided;
    private long claimed;
    private long claimEnd;
    private long claimStep;
    private int copies;
    private int probesLeft;
    private long probedBytes;
    private long probedNanos;

    CopyPath(SharedWords words) {
        this.words = words;
    }

    void copy(long to, long from, long bytes) {
        if (!canStream || bytes < SMALLEST) {
            plain(to, from, bytes);
        } else if (probesLeft > 0) {
            probe(to, from, bytes);
        } else if (++copies % DECIDED_EVERY == 0 && (!distant || System.nanoTime() - decided > RETRY_NANOS)) {
            probesLeft = PROBES;
            probedBytes = 0;
            probedNanos = 0;
            probe(to, from, bytes);
        } else if (distant) {
            stream(to, from, bytes);
        } else {
            plain(to, from, bytes);
        }
    }

    /**
     * Claims a third of the lines of the next copy but one, whatever they hold, if ordinary stores will make it and it
     * will not be timed: a copy to claimed lines is quick from the most distant core.
     */
    void claim(long to, long bytes) {
        boolean timed = probesLeft >= 2 || (probesLeft == 0 && (copies + 2) % DECIDED_EVERY <= 1);
        claimed = to;
        claimEnd = distant || timed || bytes < SMALLEST ? to : to + bytes;
        // Rounded up: three parts leave nothing, which a later call must not store.
        claimStep = (bytes + 2) / 3;
        claimMore();
    }

    /** The next third of what {@link #claim} began. */
    void claimMore() {
        long end = Math.min(claimEnd, claimed + claimStep);
        long at = claimed;
        for (; at < end; at += CACHE_LINE) {
            RawMemory.ALL.set(ValueLayout.JAVA_BYTE, at, (byte) 0);
        }
        claimed = at;
    }

    private void probe(long to, long from, long bytes) {
        long nanos = timed(words, to, from, bytes);
        if (probesLeft < PROBES) {
            probedBytes += bytes;
            probedNanos += nanos;
        }
        if (--probesLeft == 0) {
            distant = probedBytes < DISTANT_BYTES_PER_NANO * probedNanos;
            decided = System.nanoTime();
        }
    }

    private static void stream(long to, long from, long bytes) {
        long whole = bytes & -StreamingCopy.STEP;
        // The rest first: the streaming copy ends with the fence that orders everything before it too.
        plain(to + whole, from + whole, bytes - whole);
        StreamingCopy.copy(to, from, whole);
    }

    /** With the fence, or the last lines would still wait in the store queue when the clock is looked at. */
    private static long timed(SharedWords words, long to, long from, long bytes) {
        long start = System.nanoTime();
        plain(to, from, bytes);
        words.fence();
        return Math.max(1, System.nanoTime() - start - START_NANOS);
    }

    /**
     * Has the timing compiled, once in this process. In the interpreter a copy takes as long as one to a distant core,
     * and as that one is seldom timed again, so it would stay.
     */
    static void warmUp() {
        Warm.touch();
    }

    private static final class Warm {
        static {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment both = arena.allocate(2L * PlanLayout.LINE, PlanLayout.LINE);
                SharedWords words = new SharedWords();
                for (int i = 0; i < WARM_UP; i++) {
                    timed(words, both.address(), both.address() + PlanLayout.LINE, PlanLayout.LINE);
                }
            }
        }

        /** Initialises the class. */
        static void touch() {}
    }

    private static void plain(long to, long from, long bytes) {
        MemorySegment.copy(RawMemory.ALL, from, RawMemory.ALL, to, bytes);
    }
}
