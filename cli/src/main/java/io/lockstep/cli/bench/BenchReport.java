package io.lockstep.cli.bench;

import java.util.List;

/**
 * What a rank measured.
 *
 * @param nanos of each iteration
 * @param roundTripNanos of a flag
 * @param algorithms what each variant of a plan takes for this shape, {@code -} where there is nothing to choose
 */
@SuppressWarnings("ArrayRecordComponent") // Thousands of times, made once and never compared.
record BenchReport(long[] nanos, double roundTripNanos, List<String> algorithms) {
    static BenchReport nothing() {
        return new BenchReport(new long[0], 0, List.of());
    }
}
