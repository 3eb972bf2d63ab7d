package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;

final class Bf16Kernels extends DirectKernels {
    private final MethodHandle sumAdd2;
    private final MethodHandle sum3;
    private final MethodHandle sum4;
    private final MethodHandle widen3;
    private final MethodHandle accumulate;
    private final MethodHandle narrow;

    Bf16Kernels(int hidden, Width width, Arena scratch) {
        super(DType.BF16, hidden, width, Bf16Vectors.class, "scaleFinite", placesInOrder(), scratch);
        sumAdd2 = width.loop(Bf16Vectors.class, "sumAdd2", TERNARY);
        sum3 = width.loop(Bf16Vectors.class, "sum3", TERNARY);
        sum4 = width.loop(Bf16Vectors.class, "sum4", QUATERNARY);
        widen3 = width.loop(Bf16Vectors.class, "widen3", TERNARY);
        accumulate = width.loop(Bf16Vectors.class, "accumulate", UNARY);
        narrow = width.loop(Bf16Vectors.class, "narrow", UNARY);
    }

    @Override
    int sumLoop(long to, long[] inputs, int ranks, int n) {
        try {
            return switch (ranks) {
                case 2 -> addLoop(to, inputs[0], inputs[1], n);
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
    public boolean sumsAndAdds(int ranks) {
        return ranks == 2;
    }

    @Override
    int sumAddLoop(long to, long[] inputs, long addend, int n) {
        try {
            return (int) sumAdd2.invokeExact(to, inputs[0], inputs[1], addend, n);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }
}
