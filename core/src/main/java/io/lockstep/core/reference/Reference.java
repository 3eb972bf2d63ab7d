package io.lockstep.core.reference;

import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import org.jspecify.annotations.Nullable;

/**
 * One row of the operation. Every float that goes in or comes out is a value of the operation's {@link DType}. Java's
 * float arithmetic is IEEE 754 binary32, each operation rounded to nearest even, nothing fused and no subnormal
 * flushed: what is written here is what is computed.
 */
public final class Reference {
    /** The sum of squares is taken over blocks of this many elements, which fold to {@link #LANES} lanes. */
    public static final int BLOCK = 32;

    public static final int LANES = BLOCK / 2;

    private Reference() {}

    /**
     * Computes a row.
     *
     * @param operation what is computed
     * @param inputs the row of each rank, in rank order, each of length hidden
     * @param residual the row that is added; null without a residual
     * @param weight the weight of the norm; null without a norm
     * @param reduced where the rounded sum goes; null if it is not wanted
     * @param residualOut where the sum with the residual goes; null if it is not wanted
     * @param out where the normalised row goes; null without a norm
     */
    public static void row(
            Operation operation,
            float[][] inputs,
            float @Nullable [] residual,
            float @Nullable [] weight,
            float @Nullable [] reduced,
            float @Nullable [] residualOut,
            float @Nullable [] out) {
        DType dtype = operation.dtype();
        int hidden = operation.hidden();
        float[] row = new float[hidden];
        for (int i = 0; i < hidden; i++) {
            float sum = inputs[0][i];
            for (int rank = 1; rank < inputs.length; rank++) {
                sum = sum + inputs[rank][i];
            }
            row[i] = Elements.round(dtype, sum);
        }
        copy(row, reduced);
        if (residual != null) {
            for (int i = 0; i < hidden; i++) {
                row[i] = Elements.round(dtype, row[i] + residual[i]);
            }
        }
        copy(row, residualOut);
        if (weight != null && out != null) {
            float scale = scale(sumOfSquares(row), hidden, operation.epsilon());
            for (int i = 0; i < hidden; i++) {
                out[i] = Elements.round(dtype, (row[i] * scale) * weight[i]);
            }
        }
    }

    /** What every element of a row is multiplied by: 1 / sqrt(mean + epsilon), the division and the root IEEE. */
    public static float scale(float sumOfSquares, int hidden, float epsilon) {
        float mean = sumOfSquares / (float) hidden;
        // The root of a float taken in double and rounded once is the correctly rounded root in float.
        return 1.0f / (float) Math.sqrt(mean + epsilon);
    }

    /** The tree of {@code docs/numerics.md}: its shape depends on the length alone. */
    public static float sumOfSquares(float[] row) {
        int blocks = Integer.highestOneBit(Math.max(1, (row.length + BLOCK - 1) / BLOCK) * 2 - 1);
        float[][] sums = new float[blocks][LANES];
        for (int block = 0; block < blocks; block++) {
            for (int lane = 0; lane < LANES; lane++) {
                int i = block * BLOCK + 2 * lane;
                sums[block][lane] = square(row, i) + square(row, i + 1);
            }
        }
        for (int width = 1; width < blocks; width *= 2) {
            for (int block = 0; block < blocks; block += 2 * width) {
                for (int lane = 0; lane < LANES; lane++) {
                    sums[block][lane] = sums[block][lane] + sums[block + width][lane];
                }
            }
        }
        float[] lanes = sums[0];
        for (int distance = 1; distance < LANES; distance *= 2) {
            float[] next = new float[LANES];
            for (int lane = 0; lane < LANES; lane++) {
                next[lane] = lanes[lane] + lanes[lane ^ distance];
            }
            lanes = next;
        }
        return lanes[0];
    }

    private static float square(float[] row, int i) {
        return i < row.length ? row[i] * row[i] : 0.0f;
    }

    private static void copy(float[] from, float @Nullable [] to) {
        if (to != null) {
            System.arraycopy(from, 0, to, 0, from.length);
        }
    }
}
