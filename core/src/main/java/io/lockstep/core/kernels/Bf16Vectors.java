package io.lockstep.core.kernels;

import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.NE;

import io.lockstep.core.posix.RawMemory;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops of {@link Kernels} in the Vector API, for bf16. Never used as this class: {@link Width} defines it anew for
 * each vector width, so that its species are constants.
 *
 * <p>An int lane holds two bf16. The even one becomes an fp32 by a shift, the odd one by a mask, and both go back by
 * the inverse: no lane ever changes its width or its place. A sum of bf16 that is NaN has zeros in its lower half,
 * whatever the payload, so rounding by integer addition keeps it a NaN; {@link #canonicalise} makes it the one NaN
 * where a row has any.
 */
final class Bf16Vectors {
    private static final VectorSpecies<Integer> INTS = Width.ofClassData(MethodHandles.lookup());
    private static final int BYTES = INTS.vectorByteSize();
    private static final MemorySegment ALL = RawMemory.ALL;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    // As vectors, not as numbers that are made into vectors in the loop: that is one inlined call less for each use.
    private static final IntVector UPPER = IntVector.broadcast(INTS, 0xFFFF0000);
    private static final IntVector ONE = IntVector.broadcast(INTS, 1);
    private static final IntVector BELOW_HALF = IntVector.broadcast(INTS, 0x7FFF);

    private Bf16Vectors() {}

    static int sum2(long to, long a, long b, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            IntVector x = load(a + i);
            IntVector y = load(b + i);
            store(to + i, round(even(x).add(even(y))), round(odd(x).add(odd(y))));
        }
        return end / 2;
    }

    static int sum3(long to, long a, long b, long c, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            IntVector x = load(a + i);
            IntVector y = load(b + i);
            IntVector z = load(c + i);
            store(
                    to + i,
                    round(even(x).add(even(y)).add(even(z))),
                    round(odd(x).add(odd(y)).add(odd(z))));
        }
        return end / 2;
    }

    static int sum4(long to, long a, long b, long c, long d, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            IntVector x = load(a + i);
            IntVector y = load(b + i);
            IntVector z = load(c + i);
            IntVector w = load(d + i);
            store(
                    to + i,
                    round(even(x).add(even(y)).add(even(z)).add(even(w))),
                    round(odd(x).add(odd(y)).add(odd(z)).add(odd(w))));
        }
        return end / 2;
    }

    /** As {@link #sum2} and once more with its result, whose upper half alone counts. */
    static int sumAdd2(long to, long a, long b, long addend, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            IntVector x = load(a + i);
            IntVector y = load(b + i);
            IntVector z = load(addend + i);
            IntVector e = round(even(x).add(even(y)));
            IntVector o = round(odd(x).add(odd(y)));
            store(to + i, round(odd(e).add(even(z))), round(odd(o).add(odd(z))));
        }
        return end / 2;
    }

    static int widen3(long wide, long a, long b, long c, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            IntVector x = load(a + i);
            IntVector y = load(b + i);
            IntVector z = load(c + i);
            even(x).add(even(y)).add(even(z)).intoMemorySegment(ALL, wide + i + i, ORDER);
            odd(x).add(odd(y)).add(odd(z)).intoMemorySegment(ALL, wide + i + i + BYTES, ORDER);
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

    static int narrow(long to, long wide, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            store(to + i, round(loadFloats(wide + i + i)), round(loadFloats(wide + i + i + BYTES)));
        }
        return end / 2;
    }

    static int squares(long lanes, long row, int n) {
        int end = ((n * 2) & -(2 * Kernels.BLOCK_BYTES_16)) / 2;
        for (int i = 0; i < end; i += BYTES) {
            int within = i & (Kernels.BLOCK_BYTES_16 - 1);
            long first = row + i + i - within;
            IntVector x = load(first);
            IntVector y = load(first + Kernels.BLOCK_BYTES_16);
            FloatVector left = square(even(x)).add(square(odd(x)));
            FloatVector right = square(even(y)).add(square(odd(y)));
            left.add(right).intoMemorySegment(ALL, lanes + i, ORDER);
        }
        return end;
    }

    static int scale(long to, long row, long weight, float scale, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            IntVector x = load(row + i);
            IntVector w = load(weight + i);
            FloatVector e = even(x).mul(scale).mul(even(w));
            FloatVector o = odd(x).mul(scale).mul(odd(w));
            store(
                    to + i,
                    round(e).blend(Kernels.NAN, e.compare(NE, e).cast(INTS)),
                    round(o).blend(Kernels.NAN, o.compare(NE, o).cast(INTS)));
        }
        return end / 2;
    }

    /** As {@link #scale}, where neither the row nor the scale nor the weight holds anything that is not finite. */
    static int scaleFinite(long to, long row, long weight, float scale, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            IntVector x = load(row + i);
            IntVector w = load(weight + i);
            store(
                    to + i,
                    round(even(x).mul(scale).mul(even(w))),
                    round(odd(x).mul(scale).mul(odd(w))));
        }
        return end / 2;
    }

    static int canonicalise(long to, long a, int n) {
        int end = (n * 2) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            IntVector x = load(a + i);
            IntVector e = x.lanewise(LSHL, 16);
            IntVector o = x.and(UPPER);
            store(
                    to + i,
                    e.blend(Kernels.NAN, e.and(Integer.MAX_VALUE).compare(GT, Kernels.INFINITY)),
                    o.blend(Kernels.NAN, o.and(Integer.MAX_VALUE).compare(GT, Kernels.INFINITY)));
        }
        return end / 2;
    }

    private static IntVector load(long address) {
        return IntVector.fromMemorySegment(INTS, ALL, address, ORDER);
    }

    private static FloatVector loadFloats(long address) {
        return load(address).reinterpretAsFloats();
    }

    private static void store(long address, IntVector even, IntVector odd) {
        even.lanewise(LSHR, 16).or(odd.and(UPPER)).intoMemorySegment(ALL, address, ORDER);
    }

    private static FloatVector even(IntVector pairs) {
        return pairs.lanewise(LSHL, 16).reinterpretAsFloats();
    }

    private static FloatVector odd(IntVector pairs) {
        return pairs.and(UPPER).reinterpretAsFloats();
    }

    private static FloatVector square(FloatVector value) {
        return value.mul(value);
    }

    /** To nearest even, left in the upper half; the lower half is of no account. */
    private static IntVector round(FloatVector value) {
        IntVector bits = value.reinterpretAsInts();
        return bits.lanewise(LSHR, 16).and(ONE).add(BELOW_HALF).add(bits);
    }
}
