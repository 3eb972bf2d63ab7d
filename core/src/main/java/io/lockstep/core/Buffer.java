package io.lockstep.core;

/** Where a tensor lies. */
public sealed interface Buffer permits HostBuffer, DeviceSpan {}
