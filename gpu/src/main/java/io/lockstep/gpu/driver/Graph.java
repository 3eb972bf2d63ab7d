package io.lockstep.gpu.driver;

/** Captured work that can be launched as one. */
public record Graph(int device, long handle) {}
