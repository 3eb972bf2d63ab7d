package io.lockstep.gpu.driver;

import io.lockstep.core.DType;

/** The vendor's own library of collectives, which Lockstep is measured against and falls back on. */
public interface Collectives {
    /** Which one, and its version. */
    String identity();

    /** What one rank makes and all ranks join by. */
    byte[] newGroup();

    /** Joins with a device. Collective. */
    long join(int device, byte[] group, int ranks, int rank);

    /** Queues the sum of so many elements over all ranks, in the library's own order of additions. Collective. */
    void allReduce(long member, long from, long to, long elements, DType dtype, Stream stream);

    /** Leaves the group. */
    void leave(long member);
}
