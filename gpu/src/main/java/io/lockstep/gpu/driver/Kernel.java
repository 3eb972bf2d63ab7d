package io.lockstep.gpu.driver;

/** One entry point of compiled code. */
public record Kernel(int device, String name, long handle) {}
