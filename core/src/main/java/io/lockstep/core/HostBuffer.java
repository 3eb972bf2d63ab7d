package io.lockstep.core;

import java.lang.foreign.MemorySegment;

/**
 * Memory of the host: native or heap, aligned or not.
 *
 * <p>The segment must stay alive until the call that uses it has returned; closing its arena from another thread while
 * a call runs is undefined.
 *
 * @param segment the elements, row after row without gaps; it may be longer than a call needs
 */
public record HostBuffer(MemorySegment segment) implements Buffer {}
