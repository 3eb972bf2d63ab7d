package io.lockstep.core;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One rank's membership in its group. Every call on it is collective: all ranks make the same calls in the same order,
 * and each waits at most the deadline of its {@link GroupSpec} for the others. One thread at a time may use it; a
 * second one is refused.
 */
public interface Communicator extends AutoCloseable {
    /**
     * Joins the group that the specification names and returns when all its ranks have come.
     *
     * @throws DisagreementException if this rank is taken, or the ranks differ in world size or version
     * @throws CollectiveTimeoutException if ranks are missing after the deadline for joining; it says which
     * @throws DriverException if the backend is not usable here; it says why
     */
    static Communicator join(GroupSpec spec) {
        return Backends.named(spec.backend()).join(spec);
    }

    /**
     * A group within this JVM: one communicator per rank, each for a thread of its own.
     *
     * @param spec its rank and group name are of no account here
     * @return the communicators of ranks 0 to worldSize - 1
     * @throws DriverException if the backend is not usable here; it says why
     */
    static List<Communicator> threads(GroupSpec spec) {
        return Backends.named(spec.backend()).threads(spec);
    }

    /** This rank, 0 to worldSize - 1. */
    int rank();

    /** The number of ranks. */
    int worldSize();

    /**
     * Agrees with all ranks on an operation and allocates what its calls need. Collective.
     *
     * @throws DisagreementException if another rank plans something else; both are shown, on every rank
     * @throws DriverException if the machine has too little shared memory; it says how much is needed and the remedy
     */
    Plan plan(Operation operation);

    /**
     * Sums {@code elements} elements in place over all ranks. A shortcut: the plan is made at the first call of a size
     * and kept, so the first call of each size is collective planning.
     *
     * @param inOut this rank's addend, and then the sum
     * @param elements how many, at least 1
     */
    void allReduce(MemorySegment inOut, DType dtype, int elements);

    /**
     * Leaves the group and closes the plans made here. Other ranks that still wait for this one get a
     * {@link PeerLostException}.
     *
     * @throws UsageException if another thread is in a call
     */
    @Override
    void close();
}
