package io.lockstep.core.posix;

import java.lang.foreign.MemorySegment;

/** The address space of the process as one segment: what compiled loops read and write by absolute address. */
public final class RawMemory {
    /**
     * Every address. One segment, known to the compiler as a constant, keeps the loops of the kernels free of checks
     * that several segments of unknown kind would cost. Whoever uses it has checked the bounds and the lifetime of what
     * lies at the address.
     */
    public static final MemorySegment ALL = all();

    private RawMemory() {}

    @SuppressWarnings("restricted")
    private static MemorySegment all() {
        return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    }
}
