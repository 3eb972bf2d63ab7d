package io.lockstep.cli.safetensors;

import java.lang.foreign.MemorySegment;

/**
 * A tensor of a file.
 *
 * @param spec what it is
 * @param data its elements in the file's memory, not aligned
 */
public record Tensor(TensorSpec spec, MemorySegment data) {}
