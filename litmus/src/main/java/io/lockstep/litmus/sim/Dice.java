package io.lockstep.litmus.sim;

/** The adversary's dice: fast, and the same for the same seed. */
final class Dice {
    private static final long STEP = 0x9E3779B97F4A7C15L;

    private long state;

    Dice(long seed) {
        state = seed;
    }

    /** A hash of one number. */
    static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** True so many times in 65536. */
    boolean hits(int outOf65536) {
        state += STEP;
        return (mix(state) >>> 48) < outOf65536;
    }
}
