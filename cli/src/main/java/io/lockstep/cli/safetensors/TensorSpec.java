package io.lockstep.cli.safetensors;

import io.lockstep.core.DType;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A tensor that Lockstep computes with, as it stands in a file.
 *
 * @param name its name
 * @param dtype the type of its elements
 * @param shape the length of each dimension, outermost first
 */
public record TensorSpec(String name, DType dtype, List<Long> shape) {
    public TensorSpec {
        shape = List.copyOf(shape);
    }

    /** The number of elements. */
    public long elements() {
        return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }

    /** The size of its data. */
    public long bytes() {
        return elements() * dtype.bytes();
    }

    /** The shape as people write it: {@code 7 x 520}. */
    public String shapeText() {
        return shape.isEmpty() ? "scalar" : shape.stream().map(String::valueOf).collect(Collectors.joining(" x "));
    }
}
