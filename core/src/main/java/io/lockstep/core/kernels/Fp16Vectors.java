package io.lockstep.core.kernels;

import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;

import io.lockstep.core.posix.RawMemory;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops of {@link Kernels} in the Vector API, for fp16. Never used as this class: see {@link Bf16Vectors}.
 *
 * <p>An int lane holds two fp16. To fp32 by moving the fraction up and multiplying by a power of two, which is exact
 * and takes subnormals along; back by integer addition for normal results and by adding one half, whose last place is
 * that of a subnormal fp16, for the smaller ones. Every NaN that is rounded is the one NaN at once.
 *
 * <p>All of that is so many operations that widening two rows and rounding them in one loop is more than the compiler
 * inlines. So each step is a loop of its own, over a piece in fp32 that stays in the first-level cache.
 */
final class Fp16Vectors {
    private static final VectorSpecies<Integer> INTS = Width.ofClassData(MethodHandles.lookup());
    private static final int BYTES = INTS.vectorByteSize();
    private static final MemorySegment ALL = RawMemory.ALL;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /** Moves the exponent from fp16's bias, 15, to fp32's, 127. */
    private static final float REBIAS = 0x1p112f;

    private static final int SIGN = 0x80000000;
    private static final int INFINITY_FP16 = 0x7C00;
    private static final int NAN_FP16 = 0x7E00;
    private static final int HALF = 0x3F000000;
    private static final int SMALLEST_NORMAL = 0x38800000;
    private static final int TOO_LARGE = 0x47800000;

    private Fp16Vectors() {}

    static int widen(long wide, long a, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            IntVector x = load(a + i);
            even(x).intoMemorySegment(ALL, wide + i + i, ORDER);
            odd(x).intoMemorySegment(ALL, wide + i + i + BYTES, ORDER);
        }
        return end / 2;
    }

    static int accumulate(long wide, long a, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            IntVector x = load(a + i);
            loadFloats(wide + i + i).add(even(x)).intoMemorySegment(ALL, wide + i + i, ORDER);
            loadFloats(wide + i + i + BYTES).add(odd(x)).intoMemorySegment(ALL, wide + i + i + BYTES, ORDER);
        }
        return end / 2;
    }

    /** Rounds what lies in fp32 to what {@link #pack} takes. */
    static int round(long to, long wide, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < 2 * end; i += BYTES) {
            round(loadFloats(wide + i)).intoMemorySegment(ALL, to + i, ORDER);
        }
        return end / 2;
    }

    static int pack(long to, long wide, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            load(wide + i + i).or(load(wide + i + i + BYTES).lanewise(LSHL, 16)).intoMemorySegment(ALL, to + i, ORDER);
        }
        return end / 2;
    }

    static int squares(long lanes, long wide, int n) {
        int end = ((n * 2) & -(2 * Kernels.BLOCK_BYTES_16)) / 2;
        for (int i = 0; i < end; i += BYTES) {
            int within = i & (Kernels.BLOCK_BYTES_16 - 1);
            // A widened block takes twice its bytes, and two of them stand side by side.
            long first = wide + 4L * (i - within) + within + within;
            long second = first + 2 * Kernels.BLOCK_BYTES_16;
            FloatVector left = square(loadFloats(first)).add(square(loadFloats(first + BYTES)));
            FloatVector right = square(loadFloats(second)).add(square(loadFloats(second + BYTES)));
            left.add(right).intoMemorySegment(ALL, lanes + i, ORDER);
        }
        return end;
    }

    /** Of a row in fp32, to fp32. */
    static int scale(long to, long wide, long weight, float scale, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            IntVector w = load(weight + i);
            loadFloats(wide + i + i).mul(scale).mul(even(w)).intoMemorySegment(ALL, to + i + i, ORDER);
            loadFloats(wide + i + i + BYTES).mul(scale).mul(odd(w)).intoMemorySegment(ALL, to + i + i + BYTES, ORDER);
        }
        return end / 2;
    }

    private static IntVector load(long address) {
        return IntVector.fromMemorySegment(INTS, ALL, address, ORDER);
    }

    private static FloatVector loadFloats(long address) {
        return load(address).reinterpretAsFloats();
    }

    private static FloatVector even(IntVector pairs) {
        return wide(pairs.and(0xFFFF));
    }

    private static FloatVector odd(IntVector pairs) {
        return wide(pairs.lanewise(LSHR, 16));
    }

    private static FloatVector square(FloatVector value) {
        return value.mul(value);
    }

    private static FloatVector wide(IntVector half) {
        IntVector shifted = half.and(0x7FFF).lanewise(LSHL, 13);
        IntVector bits = shifted.reinterpretAsFloats().mul(REBIAS).reinterpretAsInts();
        return bits.blend(bits.or(Kernels.INFINITY), shifted.compare(GE, INFINITY_FP16 << 13))
                .or(half.and(0x8000).lanewise(LSHL, 16))
                .reinterpretAsFloats();
    }

    /** To nearest even, in the lower half; the upper half is zero. */
    private static IntVector round(FloatVector value) {
        IntVector bits = value.reinterpretAsInts();
        IntVector magnitude = bits.and(Integer.MAX_VALUE);
        IntVector normal = magnitude
                .lanewise(LSHR, 13)
                .and(1)
                .add(((15 - 127) << 23) + 0xFFF)
                .add(magnitude)
                .lanewise(LSHR, 13);
        IntVector small =
                magnitude.reinterpretAsFloats().add(0.5f).reinterpretAsInts().sub(HALF);
        return normal.blend(small, magnitude.compare(LT, SMALLEST_NORMAL))
                .blend(INFINITY_FP16, magnitude.compare(GE, TOO_LARGE))
                .or(bits.and(SIGN).lanewise(LSHR, 16))
                .blend(NAN_FP16, magnitude.compare(GT, Kernels.INFINITY));
    }
}
