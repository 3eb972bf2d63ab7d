package io.lockstep.core.cpu;

import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.reference.Elements;
import io.lockstep.core.reference.Reference;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of one rank for one call, made from a seed that every rank knows, and the comparison with the
 * specification.
 */
final class Layer {
    private final Operation operation;
    private final int worldSize;
    private final int tokens;
    private final long seed;
    private final Mix mix;

    /** What the tensors hold. */
    enum Mix {
        /** Numbers near 1, of both signs. */
        ORDINARY,
        /** Any pattern of bits: NaN, infinities, subnormals, both zeros. */
        ANY_BITS
    }

    Layer(Operation operation, int worldSize, int tokens, long seed, Mix mix) {
        this.operation = operation;
        this.worldSize = worldSize;
        this.tokens = tokens;
        this.seed = seed;
        this.mix = mix;
    }

    long elements() {
        return (long) tokens * operation.hidden();
    }

    long bytes() {
        return elements() * operation.dtype().bytes();
    }

    MemorySegment input(Arena arena, int rank) {
        MemorySegment tensor = arena.allocate(bytes(), 64);
        fillInput(tensor, rank);
        return tensor;
    }

    void fillInput(MemorySegment tensor, int rank) {
        fill(tensor, rank, elements());
    }

    MemorySegment residual(Arena arena) {
        MemorySegment tensor = arena.allocate(bytes(), 64);
        fillResidual(tensor);
        return tensor;
    }

    void fillResidual(MemorySegment tensor) {
        fill(tensor, 100, elements());
    }

    MemorySegment weight(Arena arena) {
        MemorySegment tensor = arena.allocate(operation.rowBytes(), 64);
        fillWeight(tensor);
        return tensor;
    }

    void fillWeight(MemorySegment tensor) {
        fill(tensor, 101, operation.hidden());
    }

    /** Outputs beside the inputs, reduced too. */
    Tensors tensors(Arena arena, int rank) {
        Tensors tensors = Tensors.of(input(arena, rank)).withReduced(arena.allocate(bytes(), 64));
        if (operation.residual()) {
            tensors = tensors.withResidual(residual(arena)).withResidualOut(arena.allocate(bytes(), 64));
        }
        if (operation.norm()) {
            tensors = tensors.withWeight(weight(arena)).withOut(arena.allocate(bytes(), 64));
        }
        return tensors;
    }

    /** Compares with the specification, bit for bit; a null segment is not compared. */
    void check(
            String where,
            @Nullable MemorySegment reduced,
            @Nullable MemorySegment residualOut,
            @Nullable MemorySegment out) {
        int hidden = operation.hidden();
        float[][] inputs = new float[worldSize][hidden];
        float[] residual = operation.residual() ? new float[hidden] : null;
        float[] weight = operation.norm() ? new float[hidden] : null;
        float[] reducedRow = new float[hidden];
        float[] residualRow = new float[hidden];
        float[] outRow = new float[hidden];
        for (int row = 0; row < tokens; row++) {
            long first = (long) row * hidden;
            for (int i = 0; i < hidden; i++) {
                for (int rank = 0; rank < worldSize; rank++) {
                    inputs[rank][i] = value(rank, first + i);
                }
                if (residual != null) {
                    residual[i] = value(100, first + i);
                }
                if (weight != null) {
                    weight[i] = value(101, i);
                }
            }
            Reference.row(operation, inputs, residual, weight, reducedRow, residualRow, outRow);
            compare(where + ", reduced", reduced, first, reducedRow);
            compare(where + ", residual_out", residualOut, first, residualRow);
            compare(where + ", out", out, first, outRow);
        }
    }

    private void compare(String where, @Nullable MemorySegment found, long first, float[] expected) {
        if (found == null) {
            return;
        }
        for (int i = 0; i < expected.length; i++) {
            int bits = Float.floatToRawIntBits(Elements.get(operation.dtype(), found, first + i));
            int wanted = Float.floatToRawIntBits(expected[i]);
            if (bits != wanted) {
                throw new AssertionError(where + ", " + operation + ", world size " + worldSize + ", tokens " + tokens
                        + ", seed " + seed + ": row " + (first / operation.hidden()) + " column " + i + " is "
                        + Integer.toHexString(bits) + ", expected " + Integer.toHexString(wanted));
            }
        }
    }

    private void fill(MemorySegment tensor, int stream, long n) {
        for (long i = 0; i < n; i++) {
            int bits = bits(stream, i);
            if (operation.dtype() == DType.FP32) {
                tensor.set(ValueLayout.JAVA_INT_UNALIGNED, i * 4, bits);
            } else {
                tensor.set(ValueLayout.JAVA_SHORT_UNALIGNED, i * 2, (short) bits);
            }
        }
    }

    private float value(int stream, long i) {
        int bits = bits(stream, i);
        return switch (operation.dtype()) {
            case BF16 -> Float.intBitsToFloat(bits << 16);
            case FP16 -> Float.float16ToFloat((short) bits);
            case FP32 -> Float.intBitsToFloat(bits);
        };
    }

    /** The bits of an element, from a counter. */
    private int bits(int stream, long i) {
        long z = seed + stream * 0x632BE59BD9B4E019L + i * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 32)) * 0xD6E8FEB86659FD93L;
        int random = (int) (z ^ (z >>> 32));
        if (mix == Mix.ANY_BITS) {
            return random;
        }
        // A sign, one of eight exponents around 1, and any fraction.
        int exponent = 124 + (random >>> 8 & 7);
        return switch (operation.dtype()) {
            case BF16 -> (random >>> 31 << 15) | exponent << 7 | (random & 0x7F);
            case FP16 -> (random >>> 31 << 15) | (exponent - 112) << 10 | (random >>> 12 & 0x3FF);
            case FP32 -> (random & 0x80000000) | exponent << 23 | (random >>> 3 & 0x7FFFFF);
        };
    }
}
