package io.lockstep.gpu.collective;

import io.lockstep.gpu.kernel.Exchange;

/** How many blocks a call has: the same on every rank, since it comes from what all have agreed on alone. */
final class Geometry {
    private Geometry() {}

    /** Blocks beside those that carry rows, which re-arm words: enough to keep up with a large call before. */
    private static final int MOST_SPARES = 24;

    /**
     * The most blocks that may carry rows on one rank: all blocks of a call wait for one another, so all must be on the
     * device at once, and the spare ones beside them.
     *
     * @param blocksPerMultiprocessor of the kernel that fits the fewest
     * @param sharers how many ranks use the device; their kernels, and with each the next one that waits behind it,
     *     must fit together
     */
    static int mostCarriers(int blocksPerMultiprocessor, int multiprocessors, int sharers) {
        int fit = blocksPerMultiprocessor * multiprocessors;
        int share = sharers == 1 ? fit : fit / (2 * sharers);
        return Math.min(Math.max(share / 2, share - MOST_SPARES), RegionLayout.MOST_BLOCKS - MOST_SPARES);
    }

    /** The blocks that carry rows in a call: so many that each has its turn as often as the others. */
    static int carriers(Exchange exchange, int tokens, int ranks, int most) {
        int wanted = exchange.twoShot() ? Math.ceilDiv(tokens, ranks) : tokens;
        int turns = Math.ceilDiv(wanted, most);
        return Math.ceilDiv(wanted, turns);
    }

    /**
     * The blocks beside so many that carry rows: one for each, as long as that is few. They have less time than those.
     */
    static int spares(int carriers) {
        return Math.min(carriers, MOST_SPARES);
    }
}
