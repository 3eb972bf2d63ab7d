package io.lockstep.cli.verify;

import io.lockstep.cli.inputs.Shape;
import io.lockstep.core.DType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the parent asks of every rank.
 *
 * @param kind what to do
 * @param subject what is verified, for {@code PLAN} and {@code SAVE}
 * @param first the first iteration, for {@code RUN}; the only one, for {@code SAVE}
 * @param count how many iterations, for {@code RUN}
 * @param path where to, for {@code SAVE}
 */
record VerifyOrder(
        Kind kind,
        @Nullable Subject subject,
        long first,
        int count,
        @Nullable String path) {
    /** The kinds of order. */
    enum Kind {
        /** Make the plans and the memory for a subject. */
        PLAN,
        /** Run iterations of it and compare. */
        RUN,
        /** Write the call that was run last to a file. */
        SAVE,
        /** Give plans and memory back. */
        RELEASE
    }

    /**
     * What is verified.
     *
     * @param tokens the rows of the input
     * @param hidden their length
     * @param dtype the type of every tensor
     * @param epsilon of the norm
     * @param algorithms those that run on the same inputs, by label
     * @param seed what all inputs come from
     * @param fault what to do wrong on purpose, by label
     * @param faultyRank who does
     */
    record Subject(
            int tokens,
            int hidden,
            DType dtype,
            float epsilon,
            List<String> algorithms,
            long seed,
            @Nullable String fault,
            int faultyRank) {
        Shape shape() {
            return new Shape(tokens, hidden);
        }
    }

    static VerifyOrder plan(Subject subject) {
        return new VerifyOrder(Kind.PLAN, subject, 0, 0, null);
    }

    static VerifyOrder run(long first, int count) {
        return new VerifyOrder(Kind.RUN, null, first, count, null);
    }

    static VerifyOrder save(long iteration, String path) {
        return new VerifyOrder(Kind.SAVE, null, iteration, 1, path);
    }

    static VerifyOrder release() {
        return new VerifyOrder(Kind.RELEASE, null, 0, 0, null);
    }
}
