package io.lockstep.gpu.driver;

/** Compiled code on a device. */
public record Code(int device, long handle) {}
