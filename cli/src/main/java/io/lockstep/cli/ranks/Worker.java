package io.lockstep.cli.ranks;

/**
 * What a rank does with the orders it gets, one after the other, on one thread.
 *
 * @param <O> orders: records of JSON
 * @param <R> reports: records of JSON
 */
public interface Worker<O, R> extends AutoCloseable {
    /** Carries an order out. While that lasts it calls {@link Pulse#beat} now and then. */
    R handle(O order, Pulse pulse);

    @Override
    void close();
}
