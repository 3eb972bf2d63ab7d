package io.lockstep.gpu.driver;

/** A queue of work on a device. */
public record Stream(int device, long handle) {}
