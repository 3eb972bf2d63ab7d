package io.lockstep.cli.inputs;

import io.lockstep.core.DType;
import io.lockstep.core.reference.Elements;
import java.lang.foreign.MemorySegment;

/**
 * A tensor of random values, a row at a time.
 *
 * <pre>
 * key(row)       = the upper half of mix64(mix64(mix64(mix64(seed) + iteration) + tensor) + row)
 * bits(column)   = mix32(key + column · 0x9E3779B9)            mix32, mix64: the finalisers of MurmurHash3
 * value          = ± 2^e · 1.f      sign: bit 31;  e = −11 … 4: bits 27 to 30;  f: bits 0 to 22, cut to the type
 * </pre>
 *
 * Sixteen exponents of both signs make sums whose rounding depends on every addend and on their order. The fraction is
 * cut to the type's 7, 10 or 23 bits, so every value is one of the type's own. A row is a few integer operations an
 * element, without a branch.
 */
public final class RandomTensor {
    /** The tensors that all ranks share. Ranks' inputs are numbered 0 to 7. */
    private static final int RESIDUAL = 100;

    private static final int WEIGHT = 101;

    private static final int COLUMN_STEP = 0x9E3779B9;
    private static final int SIGN = 0x80000000;
    private static final int LEAST_EXPONENT = 127 - 11;

    private final DType dtype;
    private final long key;
    private final int fraction;

    private RandomTensor(DType dtype, long seed, long iteration, int tensor) {
        this.dtype = dtype;
        this.key = mix64(mix64(mix64(seed) + iteration) + tensor);
        this.fraction = switch (dtype) {
            case BF16 -> 0x7F0000;
            case FP16 -> 0x7FE000;
            case FP32 -> 0x7FFFFF;
        };
    }

    /** What a rank adds in an iteration. */
    public static RandomTensor input(DType dtype, long seed, long iteration, int rank) {
        return new RandomTensor(dtype, seed, iteration, rank);
    }

    /** The residual of an iteration, the same on every rank. */
    public static RandomTensor residual(DType dtype, long seed, long iteration) {
        return new RandomTensor(dtype, seed, iteration, RESIDUAL);
    }

    /** The weight of an iteration, the same on every rank: it has one row. */
    public static RandomTensor weight(DType dtype, long seed, long iteration) {
        return new RandomTensor(dtype, seed, iteration, WEIGHT);
    }

    /** What its values come from, beside their rows and columns: a device makes the same tensor of it. */
    public long key() {
        return key;
    }

    /** Makes a row. */
    public void row(long row, float[] values) {
        int start = (int) (mix64(key + row) >>> 32);
        int[] bits = new int[values.length];
        // Two loops, since only the second can become vectors, and it is the long one.
        int counter = start;
        for (int column = 0; column < bits.length; column++) {
            bits[column] = counter;
            counter += COLUMN_STEP;
        }
        for (int column = 0; column < bits.length; column++) {
            bits[column] = value(mix32(bits[column]), fraction);
        }
        // Bits to floats as one copy: a conversion inside the loop would keep it from becoming vectors.
        MemorySegment.ofArray(values).copyFrom(MemorySegment.ofArray(bits));
    }

    private static int value(int bits, int fraction) {
        int exponent = LEAST_EXPONENT + ((bits >>> 27) & 15);
        return (bits & SIGN) | (exponent << 23) | (bits & fraction);
    }

    /** Makes all rows in memory. */
    public void fill(MemorySegment tensor, Shape shape) {
        float[] values = new float[shape.hidden()];
        for (int row = 0; row < shape.tokens(); row++) {
            row(row, values);
            store(dtype, values, tensor, row);
        }
    }

    /** Puts a row's values into memory. */
    public static void store(DType dtype, float[] values, MemorySegment tensor, long row) {
        long first = row * values.length;
        for (int column = 0; column < values.length; column++) {
            Elements.set(dtype, tensor, first + column, values[column]);
        }
    }

    private static int mix32(int x) {
        x ^= x >>> 16;
        x *= 0x85EBCA6B;
        x ^= x >>> 13;
        x *= 0xC2B2AE35;
        return x ^ (x >>> 16);
    }

    private static long mix64(long x) {
        x ^= x >>> 33;
        x *= 0xFF51AFD7ED558CCDL;
        x ^= x >>> 33;
        x *= 0xC4CEB9FE1A85EC53L;
        return x ^ (x >>> 33);
    }
}
