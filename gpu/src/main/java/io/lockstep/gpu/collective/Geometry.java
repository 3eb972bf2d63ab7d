package io.lockstep.gpu.collective;

import io.lockstep.gpu.kernel.Exchange;

/** How many blocks a call has: the same on every rank, since it comes from what all have agreed on alone. */
final class Geometry {
    private Geometry() {}

    /**
     * The most blocks that may carry rows on one rank: all blocks of a call wait for one another, so all must be on the
     * device at once, and one more beside them that keeps the books.
     *
     * @param blocksPerMultiprocessor of the kernel that fits the fewest
     * @param sharers how many ranks use the device; their kernels, and with each the next one that waits behind it,
     *     must fit together
     */
    static int mostCarriers(int blocksPerMultiprocessor, int multiprocessors, int sharers) {
        int fit = blocksPerMultiprocessor * multiprocessors;
        int share = sharers == 1 ? fit : fit / (2 * sharers);
        return Math.min(share - 1, RegionLayout.MOST_BLOCKS - 1);
    }

    /** The blocks that carry rows in a call. */
    static int carriers(Exchange exchange, int tokens, int ranks, int most) {
        int wanted = exchange.twoShot() ? (tokens + ranks - 1) / ranks : tokens;
        return Math.min(wanted, most);
    }
}
