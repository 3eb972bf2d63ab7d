package io.lockstep.cli.bench;

import java.util.Arrays;
import java.util.List;

/**
 * Of a set of times, in microseconds.
 *
 * @param p50 half are at most this
 * @param p90 nine of ten
 * @param p99 ninety-nine of a hundred; the largest where there are fewer than a hundred
 */
record Percentiles(double p50, double p90, double p99) {
    private static final double NANOS_PER_MICRO = 1000;

    /** Of at least one time in nanoseconds. */
    static Percentiles of(long[] nanos) {
        long[] sorted = nanos.clone();
        Arrays.sort(sorted);
        return new Percentiles(at(sorted, 0.50), at(sorted, 0.90), at(sorted, 0.99));
    }

    /** The medians of blocks whose single times are not known. */
    static Percentiles medianOf(List<Percentiles> blocks) {
        return new Percentiles(
                median(blocks.stream().mapToDouble(Percentiles::p50).toArray()),
                median(blocks.stream().mapToDouble(Percentiles::p90).toArray()),
                median(blocks.stream().mapToDouble(Percentiles::p99).toArray()));
    }

    /** The value in the middle; of an even number the mean of the two. */
    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static double at(long[] sorted, double share) {
        int index = (int) Math.ceil(share * sorted.length) - 1;
        return sorted[Math.max(0, index)] / NANOS_PER_MICRO;
    }
}
