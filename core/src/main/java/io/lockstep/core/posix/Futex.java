package io.lockstep.core.posix;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Sleeping and waking on a 32-bit word of memory that processes share. An instance belongs to one thread at a time; it
 * holds all the memory that its calls need, so that they allocate nothing.
 *
 * <p>A futex orders nothing: the caller reads the word again, with the ordering that its protocol asks for.
 */
public final class Futex {
    // Without FUTEX_PRIVATE_FLAG: the kernel finds the word by its page, not by the address in one process.
    private static final long FUTEX_WAIT = 0;
    private static final long FUTEX_WAKE = 1;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment state = arena.allocate(Errno.STATE);
    private final MemorySegment timespec = arena.allocate(16, 8);

    /**
     * Sleeps while the word holds {@code expected}. Returns at once if it does not, and may return without a cause; the
     * caller looks at the word again.
     *
     * @param memory a mapping of shared memory, which the caller keeps alive
     * @param offset of the word, a multiple of 4
     * @param nanos the most to sleep, not negative
     * @return false if the time is up
     */
    public boolean sleep(MemorySegment memory, long offset, int expected, long nanos) {
        timespec.set(ValueLayout.JAVA_LONG, 0, nanos / NANOS_PER_SECOND);
        timespec.set(ValueLayout.JAVA_LONG, 8, nanos % NANOS_PER_SECOND);
        long result = Libc.syscall(
                state, Libc.SYS_FUTEX, memory.address() + offset, FUTEX_WAIT, expected, timespec.address(), 0, 0);
        if (result >= 0 || result == -Errno.EAGAIN || result == -Errno.EINTR) {
            return true;
        }
        if (result == -Errno.ETIMEDOUT) {
            return false;
        }
        throw Errno.failure("futex(FUTEX_WAIT)", (int) -result);
    }

    /**
     * Wakes at most {@code count} of those that sleep on the word.
     *
     * @return how many were woken
     */
    public int wake(MemorySegment memory, long offset, int count) {
        long result = Libc.syscall(state, Libc.SYS_FUTEX, memory.address() + offset, FUTEX_WAKE, count, 0, 0, 0);
        return (int) Errno.check(result, "futex(FUTEX_WAKE)");
    }
}
