package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;

final class Bf16Kernels extends Kernels {
    private final MethodHandle sum2;
    private final MethodHandle sum3;
    private final MethodHandle sum4;
    private final MethodHandle widen3;
    private final MethodHandle accumulate;
    private final MethodHandle narrow;
    private final MethodHandle squares;
    private final MethodHandle scale;
    private final MethodHandle scaleFinite;
    private final MethodHandle canonicalise;

    Bf16Kernels(int hidden, Width width, Arena scratch) {
        super(DType.BF16, hidden, width, placesInOrder(), scratch);
        sum2 = width.loop(Bf16Vectors.class, "sum2", BINARY);
        sum3 = width.loop(Bf16Vectors.class, "sum3", TERNARY);
        sum4 = width.loop(Bf16Vectors.class, "sum4", QUATERNARY);
        widen3 = width.loop(Bf16Vectors.class, "widen3", TERNARY);
        accumulate = width.loop(Bf16Vectors.class, "accumulate", UNARY);
        narrow = width.loop(Bf16Vectors.class, "narrow", UNARY);
        squares = width.loop(Bf16Vectors.class, "squares", UNARY);
        scale = width.loop(Bf16Vectors.class, "scale", SCALE);
        scaleFinite = width.loop(Bf16Vectors.class, "scaleFinite", SCALE);
        canonicalise = width.loop(Bf16Vectors.class, "canonicalise", UNARY);
    }

    @Override
    int sumLoop(long to, long[] inputs, int ranks, int n) {
        try {
            return switch (ranks) {
                case 2 -> (int) sum2.invokeExact(to, inputs[0], inputs[1], n);
                case 3 -> (int) sum3.invokeExact(to, inputs[0], inputs[1], inputs[2], n);
                case 4 -> (int) sum4.invokeExact(to, inputs[0], inputs[1], inputs[2], inputs[3], n);
                default -> sumWide(to, inputs, ranks, n);
            };
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private int sumWide(long to, long[] inputs, int ranks, int n) throws Throwable {
        int done = 0;
        for (int start = 0; start < n && start == done; start += WIDE) {
            int length = Math.min(WIDE, n - start);
            long offset = 2L * start;
            int unused =
                    (int) widen3.invokeExact(wide, inputs[0] + offset, inputs[1] + offset, inputs[2] + offset, length);
            for (int rank = 3; rank < ranks; rank++) {
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
    int scaleFiniteLoop(long to, long row, long weight, float scale, int n) {
        try {
            return (int) scaleFinite.invokeExact(to, row, weight, scale, n);
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
}
