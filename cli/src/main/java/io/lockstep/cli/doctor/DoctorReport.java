package io.lockstep.cli.doctor;

/**
 * What a rank found.
 *
 * @param right whether an all-reduce gave the right sum
 * @param roundTripNanos how long a flag takes to the other rank and back
 */
record DoctorReport(boolean right, double roundTripNanos) {}
