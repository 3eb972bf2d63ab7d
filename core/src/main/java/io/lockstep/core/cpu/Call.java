package io.lockstep.core.cpu;

import io.lockstep.core.Algorithm;

/** The call that the lanes of a plan run. Written by the calling thread before they start, never while they run. */
final class Call {
    /** Its number in the communicator, from 1. */
    int number;

    /** Its number in the plan, from 0: it chooses the lent buffer. */
    int numberInPlan;

    /** What all ranks must agree on, in the upper half of a signal. */
    long fingerprint;

    int tokens;

    /** The elements of the tensor. */
    long elements;

    /** The rows that travel, which are not the tokens where rows do not matter. */
    int rows;

    int activeLanes;

    Algorithm algorithm = Algorithm.ONE_SHOT;

    /** Where this rank's input is read by the others: {@link Lane#STAGED} or another of its places. */
    long place;
}
