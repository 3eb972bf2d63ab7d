package io.lockstep.cli.verify;

import io.lockstep.cli.inputs.Shape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What came of a shape.
 *
 * @param shape which
 * @param verdict in a word
 * @param iterations how many were run
 * @param calls how many each algorithm has made in them
 * @param tallies one for each algorithm; empty where nothing was run
 * @param reason why it was not run to its end, in a sentence
 */
public record ShapeResult(
        Shape shape,
        Verdict verdict,
        int iterations,
        long calls,
        List<Tally> tallies,
        @Nullable String reason) {
    /** The word at the end of a line. */
    public enum Verdict {
        /** Every bit of every rank is right. */
        RIGHT,
        /** Some are not. */
        WRONG,
        /** A call failed. */
        FAILED,
        /** It was not run, for want of memory or since a call failed before. */
        SKIPPED
    }

    static ShapeResult skipped(Shape shape, String reason) {
        return new ShapeResult(shape, Verdict.SKIPPED, 0, 0, List.of(), reason);
    }
}
