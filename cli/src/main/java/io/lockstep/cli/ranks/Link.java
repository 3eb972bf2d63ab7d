package io.lockstep.cli.ranks;

/** The way to one rank. What the rank answers goes to the queue that the link was made with. */
interface Link<O> extends AutoCloseable {
    /** Hands an order on. Does not wait. */
    void send(O order);

    /** Ends the rank: kindly, and if that does not help by force. Waits for its end, a few seconds at most. */
    @Override
    void close();
}
