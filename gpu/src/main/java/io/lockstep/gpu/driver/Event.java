package io.lockstep.gpu.driver;

/** A point in a stream, with the time at which it was passed. */
public record Event(int device, long handle) {}
