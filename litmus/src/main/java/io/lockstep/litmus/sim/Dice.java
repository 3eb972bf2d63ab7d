package io.lockstep.litmus.sim;

import java.util.function.IntConsumer;

/** The adversary's dice: fast, and the same for the same seed on every machine. */
final class Dice {
    private static final long STEP = 0x9E3779B97F4A7C15L;

    private long state;

    Dice(long seed) {
        state = mix(seed);
    }

    /** A hash of one number. */
    static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** True with this probability. */
    boolean hits(double odds) {
        return next() < odds;
    }

    /**
     * Throws once for each of so many things, and names those that are hit. It throws for the distance to the next hit,
     * so things that are not hit cost nothing.
     */
    void hits(int things, double odds, IntConsumer hit) {
        double scale = StrictMath.log1p(-odds);
        double at = -1;
        while (true) {
            at += 1 + Math.floor(StrictMath.log1p(-next()) / scale);
            if (at >= things) {
                return;
            }
            hit.accept((int) at);
        }
    }

    /** From 0 to below 1. */
    private double next() {
        state += STEP;
        return (mix(state) >>> 11) * 0x1p-53;
    }
}
