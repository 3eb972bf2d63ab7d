package io.lockstep.core.cpu;

import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.posix.RawMemory;
import io.lockstep.core.posix.StreamingCopy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * How a lane copies to its staging memory, whose lines lie in the caches of the ranks that read them last. Near cores
 * give them back quickly, and ordinary stores are best; from distant ones each line takes long, and stores past the
 * caches are best. The ranks of a group may move from near to far and back within seconds, so now and then an ordinary
 * copy is timed, and its speed decides for the next ones.
 */
final class CopyPath {
    /** Smaller copies take less time than to decide. */
    private static final int SMALLEST = 2048;

    /** Ordinary copies from one that is timed to the next. */
    private static final int TIMED_EVERY = 16;

    /**
     * An ordinary copy that has less than this share of the speed within a core's own cache is one to a distant core.
     */
    private static final double DISTANT = 0.3;

    /** Nanoseconds until an ordinary copy is tried again: short beside the seconds that a rank stays where it is. */
    private static final long RETRY_NANOS = 50_000_000;

    /** Copies that are timed, so many that most of them run compiled. */
    private static final int SAMPLES = 5000;

    private final @Nullable StreamingCopy streaming =
            Kernels.preferredVectorBits() >= 256 ? StreamingCopy.orNull() : null;
    private boolean distant;
    private int copies;
    private long distantSince;

    /** What copying takes on this machine, measured once in a process, by the first copy that is timed. */
    private static final class Speed {
        /** What it takes to look at the clock twice. */
        static final long CLOCK_NANOS = clock();

        /** Bytes a nanosecond below which a copy is one to a distant core. */
        static final double DISTANT_BYTES_PER_NANO = DISTANT * own();

        private static long clock() {
            long best = Long.MAX_VALUE;
            for (int i = 0; i < SAMPLES; i++) {
                long start = System.nanoTime();
                best = Math.min(best, System.nanoTime() - start);
            }
            return best;
        }

        /** Bytes a nanosecond within a core's own cache. */
        private static double own() {
            long bytes = 16 * 1024;
            try (Arena arena = Arena.ofConfined()) {
                long from = arena.allocate(bytes, PlanLayout.LINE).address();
                long to = arena.allocate(bytes, PlanLayout.LINE).address();
                long best = Long.MAX_VALUE;
                for (int i = 0; i < SAMPLES; i++) {
                    long start = System.nanoTime();
                    plain(to, from, bytes);
                    best = Math.min(best, System.nanoTime() - start - CLOCK_NANOS);
                }
                return (double) bytes / Math.max(1, best);
            }
        }
    }

    void copy(long to, long from, long bytes) {
        if (streaming == null || bytes < SMALLEST) {
            plain(to, from, bytes);
        } else if (!distant) {
            if (++copies % TIMED_EVERY == 0) {
                decide(to, from, bytes);
            } else {
                plain(to, from, bytes);
            }
        } else if (++copies % TIMED_EVERY == 0 && System.nanoTime() - distantSince > RETRY_NANOS) {
            decide(to, from, bytes);
        } else {
            stream(streaming, to, from, bytes);
        }
    }

    private void decide(long to, long from, long bytes) {
        double distantBytesPerNano = Speed.DISTANT_BYTES_PER_NANO;
        long start = System.nanoTime();
        plain(to, from, bytes);
        long end = System.nanoTime();
        distant = bytes < distantBytesPerNano * (end - start - Speed.CLOCK_NANOS);
        distantSince = end;
    }

    private static void stream(StreamingCopy streaming, long to, long from, long bytes) {
        long whole = bytes & -StreamingCopy.STEP;
        // The rest first: the streaming copy ends with the fence that orders everything before it too.
        plain(to + whole, from + whole, bytes - whole);
        streaming.copy(to, from, whole);
    }

    private static void plain(long to, long from, long bytes) {
        MemorySegment.copy(RawMemory.ALL, from, RawMemory.ALL, to, bytes);
    }
}
