package io.lockstep.cli.bench;

import java.util.List;

/**
 * What a rank measured.
 *
 * @param nanos of each iteration
 * @param roundTripNanos of a flag
 * @param algorithms what each variant of a plan takes for this shape, {@code -} where there is nothing to choose
 * @param absent why a variant cannot be measured here, in the order of the variants; empty where it can
 * @param hostNanos how long the host takes to queue a call; 0 where nothing is queued
 */
@SuppressWarnings("ArrayRecordComponent") // Thousands of times, made once and never compared.
record BenchReport(
        long[] nanos, double roundTripNanos, List<String> algorithms, List<String> absent, double hostNanos) {
    static BenchReport nothing() {
        return new BenchReport(new long[0], 0, List.of(), List.of(), 0);
    }

    static BenchReport planned(List<String> algorithms, List<String> absent) {
        return new BenchReport(new long[0], 0, algorithms, absent, 0);
    }

    static BenchReport measured(long[] nanos, double hostNanos) {
        return new BenchReport(nanos, 0, List.of(), List.of(), hostNanos);
    }

    static BenchReport roundTrip(double nanos) {
        return new BenchReport(new long[0], nanos, List.of(), List.of(), 0);
    }
}
