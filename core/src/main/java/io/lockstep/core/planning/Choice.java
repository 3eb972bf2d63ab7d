package io.lockstep.core.planning;

import io.lockstep.core.Algorithm;

/**
 * Which algorithm is the faster one for how many tokens: an answer for every power of two, which holds up to the next.
 *
 * @param twoShot bit k for 2^k tokens: whether two-shot is
 */
public record Choice(int twoShot) {
    /** One-shot for all. */
    public static final Choice ONE_SHOT = new Choice(0);

    private static final int SIZES = 31;

    /** The algorithm for so many tokens, of which there is at least one. */
    public Algorithm of(int tokens) {
        return (twoShot >>> size(tokens) & 1) != 0 ? Algorithm.TWO_SHOT : Algorithm.ONE_SHOT;
    }

    /** Two-shot for so many tokens, up to the next power of two. */
    Choice withTwoShot(int tokens) {
        return new Choice(twoShot | 1 << size(tokens));
    }

    /** Two-shot from so many tokens on. */
    Choice withTwoShotFrom(int tokens) {
        return new Choice(twoShot | (1 << SIZES) - (1 << size(tokens)));
    }

    private static int size(int tokens) {
        return SIZES - Integer.numberOfLeadingZeros(tokens);
    }
}
