package io.lockstep.core;

/**
 * An operation agreed on by all ranks, with everything allocated that its calls need. Calls of a plan, and of all plans
 * of one communicator, are made by one thread at a time and in the same order on every rank.
 */
public interface Plan extends AutoCloseable {
    /** What was planned. */
    Operation operation();

    /** The algorithm that a call of so many tokens takes: never {@link Algorithm#AUTO}. */
    Algorithm algorithm(int tokens);

    /** The bytes of shared memory that the plan holds for the whole group. */
    long sharedBytes();

    /**
     * Lends the input buffer of the next call, in memory that every rank can read: (maxTokens, hidden), its contents
     * undefined. What is written there costs no copy. The next {@link #run} takes it if its tensors name no input; the
     * call after that has another buffer. Valid until that run returns.
     *
     * @throws DriverException if the machine has too little memory for it
     */
    HostBuffer input();

    /**
     * The symmetric input buffer of this rank: one that the caller keeps for as long as the plan is open, in memory
     * that every rank can read, (maxTokens, hidden). A call whose tensors name it as the input, from its first byte on,
     * copies nothing; in return {@link #run} waits until every rank has read it, so that it may be written as soon as
     * the call has returned. Nothing that a call writes may lie in it. Other ranks may give other inputs to the same
     * call.
     *
     * @throws UsageException if the backend has no such memory
     * @throws DriverException if the machine has too little memory for it
     */
    default HostBuffer symmetricInput() {
        throw new UsageException(
                "The backend of this plan has no symmetric input: fill the buffer that input() lends.");
    }

    /**
     * Runs the operation and returns when this rank's outputs are complete. Allocates nothing.
     *
     * @param tokens the number of rows, 1 to the most that was planned, the same on every rank
     * @param tensors where they lie
     * @throws UsageException if the arguments are wrong on this rank; nothing was started
     * @throws DisagreementException if another rank makes a different call
     * @throws PeerLostException if another rank died or left
     * @throws CollectiveTimeoutException if another rank did not come in time
     */
    void run(int tokens, Tensors tensors);

    /**
     * Gives the plan's memory back. Collective in effect: the memory is free once every rank has closed the plan.
     *
     * @throws UsageException if another thread is in a call
     */
    @Override
    void close();
}
