package io.lockstep.cli.doctor;

/**
 * Exchange something with the other rank.
 *
 * @param elements how many
 */
record DoctorOrder(int elements) {}
