package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;

/** The kernels of a dtype whose loops each take a row as it lies and leave the result where it belongs. */
abstract sealed class DirectKernels extends Kernels permits Bf16Kernels, Fp32Kernels {
    private final MethodHandle sum2;
    private final MethodHandle squares;
    private final MethodHandle scale;
    private final MethodHandle scaleFinite;
    private final MethodHandle canonicalise;

    /**
     * @param loops the class of the loops
     * @param scaleFinite the name of the loop for rows that hold nothing infinite or NaN
     */
    DirectKernels(
            DType dtype, int hidden, Width width, Class<?> loops, String scaleFinite, int[] places, Arena scratch) {
        super(dtype, hidden, width, places, scratch);
        sum2 = width.loop(loops, "sum2", BINARY);
        squares = width.loop(loops, "squares", UNARY);
        scale = width.loop(loops, "scale", SCALE);
        this.scaleFinite = width.loop(loops, scaleFinite, SCALE);
        canonicalise = width.loop(loops, "canonicalise", UNARY);
    }

    @Override
    final int addLoop(long to, long a, long b, int n) {
        try {
            return (int) sum2.invokeExact(to, a, b, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    @Override
    final int squaresLoop(long row, int n) {
        try {
            return (int) squares.invokeExact(lanes, row, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    @Override
    final int scaleLoop(long to, long row, long weight, float scale, int n) {
        try {
            return (int) this.scale.invokeExact(to, row, weight, scale, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    @Override
    final int scaleFiniteLoop(long to, long row, long weight, float scale, int n) {
        try {
            return (int) scaleFinite.invokeExact(to, row, weight, scale, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    @Override
    final int canonicaliseLoop(long to, long from, int n) {
        try {
            return (int) canonicalise.invokeExact(to, from, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }
}
