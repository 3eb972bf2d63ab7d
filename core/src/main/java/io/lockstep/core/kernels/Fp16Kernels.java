package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;

final class Fp16Kernels extends Kernels {
    private final MethodHandle widen;
    private final MethodHandle accumulate;
    private final MethodHandle round;
    private final MethodHandle pack;
    private final MethodHandle squares;
    private final MethodHandle scale;

    Fp16Kernels(int hidden, Width width, Arena scratch) {
        super(DType.FP16, hidden, width, placesInOrder(), scratch);
        widen = width.loop(Fp16Vectors.class, "widen", UNARY);
        accumulate = width.loop(Fp16Vectors.class, "accumulate", UNARY);
        round = width.loop(Fp16Vectors.class, "round", UNARY);
        pack = width.loop(Fp16Vectors.class, "pack", UNARY);
        squares = width.loop(Fp16Vectors.class, "squares", UNARY);
        scale = width.loop(Fp16Vectors.class, "scale", SCALE);
    }

    @Override
    int sumLoop(long to, long[] inputs, int ranks, int n) {
        try {
            int done = 0;
            for (int start = 0; start < n && start == done; start += WIDE) {
                int length = Math.min(WIDE, n - start);
                long offset = 2L * start;
                int unused = (int) widen.invokeExact(wide, inputs[0] + offset, length);
                for (int rank = 1; rank < ranks; rank++) {
                    unused = (int) accumulate.invokeExact(wide, inputs[rank] + offset, length);
                }
                done += narrow(to + offset, length);
            }
            return done;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Brings what lies in fp32 to where it belongs. */
    private int narrow(long to, int length) throws Throwable {
        int unused = (int) round.invokeExact(wide, wide, length);
        return (int) pack.invokeExact(to, wide, length);
    }

    @Override
    int addLoop(long to, long a, long b, int n) {
        try {
            int done = 0;
            for (int start = 0; start < n && start == done; start += WIDE) {
                int length = Math.min(WIDE, n - start);
                long offset = 2L * start;
                int unused = (int) widen.invokeExact(wide, a + offset, length);
                unused = (int) accumulate.invokeExact(wide, b + offset, length);
                done += narrow(to + offset, length);
            }
            return done;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    @Override
    int squaresLoop(long row, int n) {
        try {
            int done = 0;
            for (int start = 0; start < n && start == done; start += WIDE) {
                int length = Math.min(WIDE, n - start);
                int unused = (int) widen.invokeExact(wide, row + 2L * start, length);
                done += (int) squares.invokeExact(lanes + start, wide, length);
            }
            return done;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    @Override
    int scaleLoop(long to, long row, long weight, float scale, int n) {
        try {
            int done = 0;
            for (int start = 0; start < n && start == done; start += WIDE) {
                int length = Math.min(WIDE, n - start);
                long offset = 2L * start;
                int unused = (int) widen.invokeExact(wide, row + offset, length);
                unused = (int) this.scale.invokeExact(wide, wide, weight + offset, scale, length);
                done += narrow(to + offset, length);
            }
            return done;
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
                done += narrow(to + 2L * start, length);
            }
            return done;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }
}
