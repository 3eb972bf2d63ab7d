package io.lockstep.core;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a call, by role. Immutable: made once, used for as many calls as wanted. Every buffer holds at least
 * tokens · hidden elements, {@code weight} holds hidden.
 *
 * <p>{@code out} may be {@code input} and {@code residualOut} may be {@code residual}, exactly (the same first byte);
 * any other overlap of something written with anything else is refused.
 *
 * @param input what this rank adds; null means the buffer that {@link Plan#input} lent for this call; the one of
 *     {@link Plan#symmetricInput} is read by all ranks where it lies; anything else is copied
 * @param residual what is added to the sum; given exactly if the operation has a residual
 * @param weight the weight of the norm; given exactly if the operation has a norm
 * @param reduced where the rounded sum goes; null where it is not wanted, needed where the operation is the all-reduce
 *     alone
 * @param residualOut where the sum with the residual goes; given exactly if the operation has a residual
 * @param out where the normalised rows go; given exactly if the operation has a norm
 */
public record Tensors(
        @Nullable Buffer input,
        @Nullable Buffer residual,
        @Nullable Buffer weight,
        @Nullable Buffer reduced,
        @Nullable Buffer residualOut,
        @Nullable Buffer out) {

    /** No tensor at all: the start of a chain of {@code with…}. The input is the one that the plan lends. */
    public static Tensors lent() {
        return new Tensors(null, null, null, null, null, null);
    }

    /** These elements of the host as input. */
    public static Tensors of(MemorySegment input) {
        return lent().withInput(input);
    }

    /** These elements as input, wherever they lie. */
    public static Tensors of(Buffer input) {
        return lent().withInput(input);
    }

    public Tensors withInput(MemorySegment segment) {
        return withInput(new HostBuffer(segment));
    }

    public Tensors withInput(Buffer buffer) {
        return new Tensors(buffer, residual, weight, reduced, residualOut, out);
    }

    public Tensors withResidual(MemorySegment segment) {
        return withResidual(new HostBuffer(segment));
    }

    public Tensors withResidual(Buffer buffer) {
        return new Tensors(input, buffer, weight, reduced, residualOut, out);
    }

    public Tensors withWeight(MemorySegment segment) {
        return withWeight(new HostBuffer(segment));
    }

    public Tensors withWeight(Buffer buffer) {
        return new Tensors(input, residual, buffer, reduced, residualOut, out);
    }

    public Tensors withReduced(MemorySegment segment) {
        return withReduced(new HostBuffer(segment));
    }

    public Tensors withReduced(Buffer buffer) {
        return new Tensors(input, residual, weight, buffer, residualOut, out);
    }

    public Tensors withResidualOut(MemorySegment segment) {
        return withResidualOut(new HostBuffer(segment));
    }

    public Tensors withResidualOut(Buffer buffer) {
        return new Tensors(input, residual, weight, reduced, buffer, out);
    }

    public Tensors withOut(MemorySegment segment) {
        return withOut(new HostBuffer(segment));
    }

    public Tensors withOut(Buffer buffer) {
        return new Tensors(input, residual, weight, reduced, residualOut, buffer);
    }
}
