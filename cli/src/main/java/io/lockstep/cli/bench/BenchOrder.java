package io.lockstep.cli.bench;

import io.lockstep.core.DType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the parent asks of every rank.
 *
 * @param kind what to do
 * @param subject what is measured, for {@code PLAN}
 * @param variant the variant's place in the subject's list, for {@code RUN}
 * @param iterations how many, for {@code RUN}
 * @param setting how calls on GPUs are made, for {@code RUN}; null on the host
 */
record BenchOrder(
        Kind kind,
        @Nullable Subject subject,
        int variant,
        int iterations,
        @Nullable Placement setting) {
    /** The kinds of order. */
    enum Kind {
        /** Make the plans and the memory. */
        PLAN,
        /** Run iterations of a variant. */
        RUN,
        /** Measure how long a flag takes between two ranks and back. */
        PING,
        /** Give plans and memory back. */
        RELEASE
    }

    /**
     * What is measured.
     *
     * @param tokens the rows
     * @param hidden their length
     * @param dtype the type of every tensor
     * @param variants those that the ranks run
     * @param bind whether each rank's calling thread is bound to a core of its own
     */
    record Subject(int tokens, int hidden, DType dtype, List<Variant> variants, boolean bind) {}

    static BenchOrder plan(Subject subject) {
        return new BenchOrder(Kind.PLAN, subject, 0, 0, null);
    }

    static BenchOrder run(int variant, int iterations, @Nullable Placement setting) {
        return new BenchOrder(Kind.RUN, null, variant, iterations, setting);
    }

    static BenchOrder ping() {
        return new BenchOrder(Kind.PING, null, 0, 0, null);
    }

    static BenchOrder release() {
        return new BenchOrder(Kind.RELEASE, null, 0, 0, null);
    }
}
