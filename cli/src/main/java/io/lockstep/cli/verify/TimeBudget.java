package io.lockstep.cli.verify;

import io.lockstep.cli.inputs.Shape;
import java.time.Duration;
import java.util.List;

/**
 * Shares a time over shapes of very different cost. Every shape gets its fewest iterations; what is left after those is
 * shared evenly. What the larger shapes will cost is told from the smaller ones, which therefore come first.
 */
final class TimeBudget {
    private static final int FEWEST = 3;
    /** From this many elements on, one iteration is enough: 2048 x 2880 and more. */
    private static final long LARGE = 4_000_000;

    /**
     * Below this, an iteration is mostly messages and code that is not compiled yet: it tells nothing of large ones.
     */
    private static final long TELLING = 500_000;
    /** What an element costs a rank until one has been measured: its inputs made again and the scalar specification. */
    private static final double FIRST_GUESS_NANOS = 50;

    private final List<Shape> shapes;
    private final long end;
    private double nanosPerElement;
    private int next;

    TimeBudget(List<Shape> shapes, Duration budget, long start, double ranksPerCore) {
        this.shapes = shapes;
        this.end = start + budget.toNanos();
        this.nanosPerElement = FIRST_GUESS_NANOS * Math.max(1, ranksPerCore);
    }

    /** The fewest iterations of a shape. */
    static int fewest(Shape shape) {
        return shape.elements() >= LARGE ? 1 : FEWEST;
    }

    /** Begins the next shape: until when, in {@link System#nanoTime}, more than its fewest iterations may be run. */
    long until(long now) {
        double needed = 0;
        for (int i = next; i < shapes.size(); i++) {
            needed += cost(shapes.get(i));
        }
        double surplus = Math.max(0, end - now - needed);
        double share = surplus / (shapes.size() - next) + cost(shapes.get(next));
        next++;
        return Math.min(end, now + (long) share);
    }

    private double cost(Shape shape) {
        return fewest(shape) * nanosPerElement * shape.elements();
    }

    /** Learns from a shape what an element costs. */
    void measured(Shape shape, long nanosPerIteration) {
        if (shape.elements() >= TELLING) {
            nanosPerElement = (double) nanosPerIteration / shape.elements();
        }
    }
}
