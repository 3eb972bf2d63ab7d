package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;

final class Fp16Kernels extends Kernels {
    private final MethodHandle sum2;
    private final MethodHandle widen;
    private final MethodHandle accumulate;
    private final MethodHandle narrow;
    private final MethodHandle squares;
    private final MethodHandle scale;

    Fp16Kernels(int hidden, Width width, Arena scratch) {
        super(DType.FP16, hidden, width, placesInOrder(), scratch);
        sum2 = width.loop(Fp16Vectors.class, "sum2", BINARY);
        widen = width.loop(Fp16Vectors.class, "widen", UNARY);
        accumulate = width.loop(Fp16Vectors.class, "accumulate", UNARY);
        narrow = width.loop(Fp16Vectors.class, "narrow", UNARY);
        squares = width.loop(Fp16Vectors.class, "squares", UNARY);
        scale = width.loop(Fp16Vectors.class, "scale", SCALE);
    }

    @Override
    int sumLoop(long to, long[] inputs, int ranks, int n) {
        try {
            return ranks == 2 ? (int) sum2.invokeExact(to, inputs[0], inputs[1], n) : sumWide(to, inputs, ranks, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private int sumWide(long to, long[] inputs, int ranks, int n) throws Throwable {
        int done = 0;
        for (int start = 0; start < n && start == done; start += WIDE) {
            int length = Math.min(WIDE, n - start);
            long offset = 2L * start;
            int unused = (int) widen.invokeExact(wide, inputs[0] + offset, length);
            for (int rank = 1; rank < ranks; rank++) {
                unused = (int) accumulate.invokeExact(wide, inputs[rank] + offset, length);
            }
            done += (int) narrow.invokeExact(to + offset, wide, length);
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
            int done = 0;
            for (int start = 0; start < n && start == done; start += WIDE) {
                int length = Math.min(WIDE, n - start);
                int unused = (int) widen.invokeExact(wide, from + 2L * start, length);
                done += (int) narrow.invokeExact(to + 2L * start, wide, length);
            }
            return done;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }
}
