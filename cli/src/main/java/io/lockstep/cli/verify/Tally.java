package io.lockstep.cli.verify;

import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was wrong in some iterations of one algorithm.
 *
 * @param wrongBits how many bits differ, over all outputs
 * @param wrongElements how many elements they are in
 * @param maxAbsErr the largest difference; infinite where one side is not a number and the other is
 * @param firstBad the first wrong element, where there is one
 */
public record Tally(
        long wrongBits,
        long wrongElements,
        double maxAbsErr,
        @Nullable FirstBad firstBad) {
    private static final Comparator<FirstBad> ORDER = Comparator.comparingLong(FirstBad::iteration)
            .thenComparingInt(FirstBad::rank)
            .thenComparingInt(FirstBad::row)
            .thenComparingInt(FirstBad::column);

    /** Nothing is wrong. */
    public static final Tally RIGHT = new Tally(0, 0, 0, null);

    /** Both together. */
    public Tally plus(Tally other) {
        return new Tally(
                wrongBits + other.wrongBits,
                wrongElements + other.wrongElements,
                Math.max(maxAbsErr, other.maxAbsErr),
                earlier(firstBad, other.firstBad));
    }

    private static @Nullable FirstBad earlier(@Nullable FirstBad a, @Nullable FirstBad b) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        return ORDER.compare(a, b) <= 0 ? a : b;
    }

    /** Adds what each algorithm has done since. */
    static void add(List<Tally> to, List<Tally> since) {
        for (int i = 0; i < to.size(); i++) {
            to.set(i, to.get(i).plus(since.get(i)));
        }
    }

    /** Whether every bit is right. */
    public boolean right() {
        return wrongBits == 0;
    }
}
