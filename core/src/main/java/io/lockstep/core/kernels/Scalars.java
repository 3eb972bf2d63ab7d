package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import io.lockstep.core.posix.RawMemory;
import io.lockstep.core.reference.Elements;

/**
 * The loops of {@link Kernels} in scalar code: the whole of a row where there are no vectors, the rest of a row where
 * there are.
 */
final class Scalars {
    private Scalars() {}

    static void sum(DType dtype, long to, long[] inputs, int ranks, int from, int n) {
        for (int i = from; i < n; i++) {
            set(dtype, to, i, sum(dtype, inputs, ranks, i));
        }
    }

    static void sumAdd(DType dtype, long to, long[] inputs, int ranks, long addend, int from, int n) {
        for (int i = from; i < n; i++) {
            float other = get(dtype, addend, i);
            // Rounded by being stored; the addend may lie in the same place.
            set(dtype, to, i, sum(dtype, inputs, ranks, i));
            set(dtype, to, i, get(dtype, to, i) + other);
        }
    }

    private static float sum(DType dtype, long[] inputs, int ranks, int i) {
        float sum = get(dtype, inputs[0], i);
        for (int rank = 1; rank < ranks; rank++) {
            sum += get(dtype, inputs[rank], i);
        }
        return sum;
    }

    static void add(DType dtype, long to, long a, long b, int from, int n) {
        for (int i = from; i < n; i++) {
            set(dtype, to, i, get(dtype, a, i) + get(dtype, b, i));
        }
    }

    /** The lanes of the pairs of blocks from {@code from} on, the last pair filled up with +0. */
    static void squares(DType dtype, long lanes, int[] places, long row, int from, int n) {
        for (int pair = from; pair < n; pair += 2 * Kernels.BLOCK) {
            long first = lanes + (long) pair / (2 * Kernels.BLOCK) * Kernels.LANE_BYTES;
            for (int lane = 0; lane < Kernels.LANES; lane++) {
                int i = pair + 2 * lane;
                int j = i + Kernels.BLOCK;
                float left = square(dtype, row, i, n) + square(dtype, row, i + 1, n);
                float right = square(dtype, row, j, n) + square(dtype, row, j + 1, n);
                set(DType.FP32, first, places[lane], left + right);
            }
        }
    }

    /** Adds the blocks of lanes four by four, neighbours first, in place: {@code groups} blocks are left. */
    static void fold(long lanes, int groups) {
        for (int i = 0; i < groups * Kernels.LANES; i++) {
            int within = i % Kernels.LANES;
            int first = 4 * (i - within) + within;
            float left = get(DType.FP32, lanes, first) + get(DType.FP32, lanes, first + Kernels.LANES);
            float right = get(DType.FP32, lanes, first + 2 * Kernels.LANES)
                    + get(DType.FP32, lanes, first + 3 * Kernels.LANES);
            set(DType.FP32, lanes, i, left + right);
        }
    }

    static void scale(DType dtype, long to, long row, long weight, float scale, int from, int n) {
        for (int i = from; i < n; i++) {
            set(dtype, to, i, (get(dtype, row, i) * scale) * get(dtype, weight, i));
        }
    }

    static void canonicalise(DType dtype, long to, long a, int from, int n) {
        for (int i = from; i < n; i++) {
            set(dtype, to, i, get(dtype, a, i));
        }
    }

    private static float square(DType dtype, long row, int i, int n) {
        float value = i < n ? get(dtype, row, i) : 0.0f;
        return value * value;
    }

    private static float get(DType dtype, long address, int i) {
        return Elements.get(dtype, RawMemory.ALL.asSlice(address), i);
    }

    private static void set(DType dtype, long address, int i, float value) {
        Elements.set(dtype, RawMemory.ALL.asSlice(address), i, value);
    }
}
