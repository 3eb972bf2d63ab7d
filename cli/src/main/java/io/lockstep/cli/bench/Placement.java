package io.lockstep.cli.bench;

import java.util.Locale;

/**
 * How near the cores of ranks 0 and 1 lay to each other during a block: virtual machines move them about, and both the
 * times and the order of the variants change with it.
 */
public enum Placement {
    /** A flag's round trip took less than 200 ns before and after the block: one cache. */
    NEAR,
    /** More than 350 ns before and after: two caches. */
    FAR,
    /** Anything else, or it changed. */
    MIXED;

    private static final double NEAR_NANOS = 200;
    private static final double FAR_NANOS = 350;

    static Placement of(double before, double after) {
        if (before < NEAR_NANOS && after < NEAR_NANOS) {
            return NEAR;
        }
        return before > FAR_NANOS && after > FAR_NANOS ? FAR : MIXED;
    }

    /** In tables and files. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
