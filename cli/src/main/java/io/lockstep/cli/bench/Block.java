package io.lockstep.cli.bench;

/**
 * A short run of one variant.
 *
 * @param repetition the turn in which it was run; only blocks of one turn are compared with each other
 * @param placement how the cores lay, or how calls were made
 * @param roundTripNanos the flag's round trip, the mean of before and after
 * @param hostNanos how long the slowest rank's host takes to queue a call; 0 where nothing is queued
 * @param iterations how many calls
 * @param percentiles of the slowest rank's time
 * @param samples the slowest rank's time of each call; an external program keeps its own
 */
@SuppressWarnings("ArrayRecordComponent") // Thousands of times, made once and never compared.
record Block(
        int repetition,
        Placement placement,
        double roundTripNanos,
        double hostNanos,
        long iterations,
        Percentiles percentiles,
        long[] samples) {}
