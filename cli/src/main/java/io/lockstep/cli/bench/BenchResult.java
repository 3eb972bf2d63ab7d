package io.lockstep.cli.bench;

import org.jspecify.annotations.Nullable;

/**
 * One line of the tables: a variant of a shape in a placement.
 *
 * @param bytes the size of one rank's input
 * @param variant its name
 * @param algorithm what it took for this shape; null where there is nothing to choose
 * @param placement how the cores lay, or how calls on GPUs were made
 * @param blocks how many blocks
 * @param iterations how many calls, in all blocks
 * @param roundTripNs a flag's round trip, the median of the blocks; 0 on GPUs
 * @param hostUs how long the slowest rank's host takes to queue a call, the median of the blocks; null where nothing is
 *     queued
 * @param p50Us the slowest rank's time
 * @param algorithmGbPerS the bytes of the input by p50
 * @param busGbPerS that times 2 (N - 1) / N, the traffic that an all-reduce cannot do without
 * @param ratioToBaseline p50 by the baseline's of the same turn, the median over the turns; null without one
 * @param ratioToCopy p50 by that of a plain copy of the same turn
 */
public record BenchResult(
        int tokens,
        int hidden,
        long bytes,
        String variant,
        @Nullable String algorithm,
        String placement,
        int blocks,
        long iterations,
        double roundTripNs,
        @Nullable Double hostUs,
        double p50Us,
        double p90Us,
        double p99Us,
        double algorithmGbPerS,
        double busGbPerS,
        @Nullable Double ratioToBaseline,
        @Nullable Double ratioToCopy) {

    /** The shape, in a table. */
    public String shape() {
        return tokens + "x" + hidden;
    }
}
