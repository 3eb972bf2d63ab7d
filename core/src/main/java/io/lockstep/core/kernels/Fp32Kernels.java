package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;

final class Fp32Kernels extends Kernels {
    private final MethodHandle sum2;
    private final MethodHandle squares;
    private final MethodHandle scale;
    private final MethodHandle canonicalise;

    Fp32Kernels(int hidden, Width width, Arena scratch) {
        super(DType.FP32, hidden, width, places(width.floats()), scratch);
        sum2 = width.loop(Fp32Vectors.class, "sum2", BINARY);
        squares = width.loop(Fp32Vectors.class, "squares", UNARY);
        scale = width.loop(Fp32Vectors.class, "scale", SCALE);
        canonicalise = width.loop(Fp32Vectors.class, "canonicalise", UNARY);
    }

    @Override
    int sumLoop(long to, long[] inputs, int ranks, int n) {
        int done = 0;
        for (int start = 0; start < n && start == done; start += WIDE) {
            int length = Math.min(WIDE, n - start);
            long offset = (long) start * Float.BYTES;
            int added = addLoop(to + offset, inputs[0] + offset, inputs[1] + offset, length);
            for (int rank = 2; rank < ranks; rank++) {
                added = addLoop(to + offset, to + offset, inputs[rank] + offset, length);
            }
            done += added;
        }
        return done;
    }

    @Override
    int addLoop(long to, long a, long b, int n) {
        try {
            return (int) sum2.invokeExact(to, a, b, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    @Override
    int squaresLoop(long row, int n) {
        try {
            return (int) squares.invokeExact(lanes, row, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    @Override
    int scaleLoop(long to, long row, long weight, float scale, int n) {
        try {
            return (int) this.scale.invokeExact(to, row, weight, scale, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    @Override
    int canonicaliseLoop(long to, long from, int n) {
        try {
            return (int) canonicalise.invokeExact(to, from, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * Where {@link Fp32Vectors} puts the lanes: in each vector, the pairs of its first half and of its second half take
     * turns.
     */
    private static int[] places(int floats) {
        int[] places = placesInOrder();
        for (int place = 0; floats > 1 && place < LANES; place++) {
            int within = place % floats;
            int lane = place - within + (within % 2) * (floats / 2) + within / 2;
            places[lane] = place;
        }
        return places;
    }
}
