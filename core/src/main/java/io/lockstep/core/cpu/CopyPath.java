package io.lockstep.core.cpu;

import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.posix.RawMemory;
import io.lockstep.core.posix.StreamingCopy;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How a lane copies to its staging memory, whose lines lie in the caches of the ranks that read them last: by ordinary
 * stores, which fetch each line from there, or by stores past the caches, after which the readers find the lines in
 * memory. Which is faster depends on the processor, on how far the cores lie from each other, which changes within
 * seconds on virtual machines, and on the size. So now and then calls are made both ways: a {@link Contest} for each
 * size.
 *
 * <p>For ordinary stores the lines of the next copy but one can be claimed: a byte is stored in each, and the cache
 * fetches them while the lane computes. It can be done in three parts with arithmetic between them, since stores go to
 * memory in their order, and those of the arithmetic would stall behind too many claims.
 */
final class CopyPath {
    /** Smaller calls take less time than to decide. */
    private static final int SMALLEST = 2048;

    private static final int CACHE_LINE = 64;

    /** So many bytes are copied from one trial to the next, in calls of any size but the smallest and the largest. */
    private static final long BETWEEN_TRIALS = 256L * 1024 * 1024;

    private static final int FEWEST_CALLS = 256;
    private static final int MOST_CALLS = 16 * 1024;

    private final boolean canStream;

    /** By the power of two of a call's bytes. */
    private final Contest[] contests = IntStream.range(0, Long.SIZE)
            .mapToObj(power -> new Contest(Math.clamp(BETWEEN_TRIALS >> power, FEWEST_CALLS, MOST_CALLS)))
            .toArray(Contest[]::new);

    // Of the current call.
    private @Nullable Contest contest;
    private boolean streams;
    private boolean timed;
    private long bytesOfCall;
    private long start;

    private long claimed;
    private long claimEnd;
    private long claimStep;

    /**
     * One that chooses, or that uses ordinary stores alone.
     *
     * @param crowded whether ranks take turns on a processor: a peer's cache is often one's own then, and times tell of
     *     turns
     */
    CopyPath(boolean crowded) {
        canStream = !crowded && Kernels.preferredVectorBits() >= 256 && StreamingCopy.isThere();
    }

    /**
     * At the start of a call.
     *
     * @param bytes of this lane's rows, the same on every rank
     * @param copies whether this rank will copy them
     */
    void begin(long bytes, boolean copies) {
        contest = canStream && bytes >= SMALLEST ? contests[Long.SIZE - 1 - Long.numberOfLeadingZeros(bytes)] : null;
        streams = false;
        timed = false;
        if (contest != null) {
            streams = contest.second() && copies;
            timed = contest.counts() && copies;
            bytesOfCall = bytes;
            if (timed) {
                start = System.nanoTime();
            }
        }
    }

    /** At the end of a call that did not fail. */
    void end() {
        if (contest != null) {
            contest.end(timed ? (double) (System.nanoTime() - start) / bytesOfCall : Double.POSITIVE_INFINITY);
        }
    }

    void copy(long to, long from, long bytes) {
        if (!streams || bytes < StreamingCopy.STEP) {
            plain(to, from, bytes);
            return;
        }
        long whole = bytes & -StreamingCopy.STEP;
        // The rest first: the streaming copy ends with the fence that orders everything before it too.
        plain(to + whole, from + whole, bytes - whole);
        StreamingCopy.copy(to, from, whole);
    }

    /** Whether this call's copies go past the caches. */
    boolean streams() {
        return streams;
    }

    /** Before bytes are read that a peer copied past the caches. */
    void expect(long from, long bytes) {
        if (canStream) {
            StreamingCopy.prefetch(from, bytes);
        }
    }

    /**
     * Claims a third of the lines of the next copy but one, whatever they hold, if ordinary stores will make it: a copy
     * to claimed lines is quick from the most distant core.
     */
    void claim(long to, long bytes) {
        claimed = to;
        claimEnd = streams || bytes < SMALLEST ? to : to + bytes;
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

    private static void plain(long to, long from, long bytes) {
        MemorySegment.copy(RawMemory.ALL, from, RawMemory.ALL, to, bytes);
    }
}
