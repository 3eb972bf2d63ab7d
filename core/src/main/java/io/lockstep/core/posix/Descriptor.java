package io.lockstep.core.posix;

import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicInteger;

/** An open file descriptor. Closed once, however often and by whom {@link #close} is called. */
public final class Descriptor implements AutoCloseable {
    private static final int CLOSED = -1;

    private final AtomicInteger number;

    /** Takes over a descriptor that this process has opened otherwise: it is closed with this object. */
    public Descriptor(int number) {
        this.number = new AtomicInteger(number);
    }

    /** The number that the system knows it by. */
    public int number() {
        int current = number.get();
        if (current == CLOSED) {
            throw new IllegalStateException("The descriptor is closed.");
        }
        return current;
    }

    @Override
    public void close() {
        int current = number.getAndSet(CLOSED);
        if (current != CLOSED) {
            try (Arena arena = Arena.ofConfined()) {
                // Whatever close answers, Linux has released the descriptor.
                Libc.close(arena.allocate(Errno.STATE), current);
            }
        }
    }
}
