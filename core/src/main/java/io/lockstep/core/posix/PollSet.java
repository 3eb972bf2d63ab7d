package io.lockstep.core.posix;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Waits for the first of several descriptors. An instance belongs to one thread; it is filled, awaited, read and
 * cleared.
 */
public final class PollSet {
    private static final short POLLIN = 1;
    private static final short POLLOUT = 4;
    private static final long ENTRY = 8;
    private static final long EVENTS = 4;
    private static final long REVENTS = 6;
    private static final long NANOS_PER_MILLI = 1_000_000L;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment state = arena.allocate(Errno.STATE);
    private final MemorySegment entries;
    private int size;

    /** Room for so many descriptors. */
    public PollSet(int capacity) {
        entries = arena.allocate(ENTRY * Math.max(1, capacity), ENTRY);
    }

    /** Forgets all descriptors. */
    public void clear() {
        size = 0;
    }

    /** Adds a descriptor of which something can be read, or whose other end can be gone. */
    public void addReader(Descriptor descriptor) {
        add(descriptor, POLLIN);
    }

    /** Adds a descriptor that can take what is written. */
    public void addWriter(Descriptor descriptor) {
        add(descriptor, POLLOUT);
    }

    /**
     * Waits until something happens at one of the descriptors, a signal comes, or the time is up; the caller looks at
     * the clock itself. With no descriptor it is a sleep that no interrupt of the thread cuts short.
     */
    public void await(long nanos) {
        // Rounded up, so that the last stretch is not spent in polling without a wait.
        long milliseconds = nanos <= 0 ? 0 : (nanos - 1) / NANOS_PER_MILLI + 1;
        int result = Libc.poll(state, entries, size, (int) Math.min(milliseconds, Integer.MAX_VALUE));
        if (result < 0 && result != -Errno.EINTR) {
            throw Errno.failure("poll", -result);
        }
    }

    private void add(Descriptor descriptor, short events) {
        long entry = ENTRY * size;
        entries.set(ValueLayout.JAVA_INT, entry, descriptor.number());
        entries.set(ValueLayout.JAVA_SHORT, entry + EVENTS, events);
        entries.set(ValueLayout.JAVA_SHORT, entry + REVENTS, (short) 0);
        size++;
    }
}
