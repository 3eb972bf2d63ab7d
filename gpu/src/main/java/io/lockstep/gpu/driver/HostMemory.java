package io.lockstep.gpu.driver;

import java.lang.foreign.MemorySegment;

/**
 * Pinned memory of the host that a device reaches too.
 *
 * @param segment as the host sees it; valid until it is freed
 * @param address as the device sees it
 */
public record HostMemory(MemorySegment segment, long address) {}
