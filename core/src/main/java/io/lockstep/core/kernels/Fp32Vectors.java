package io.lockstep.core.kernels;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.NE;

import io.lockstep.core.posix.RawMemory;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops of {@link Kernels} in the Vector API, for fp32, and the fold of the lanes for every dtype. Never used as
 * this class: see {@link Bf16Vectors}.
 */
final class Fp32Vectors {
    private static final VectorSpecies<Integer> INTS = Width.ofClassData(MethodHandles.lookup());
    private static final VectorSpecies<Float> FLOATS = VectorSpecies.of(float.class, INTS.vectorShape());
    private static final int BYTES = INTS.vectorByteSize();
    private static final MemorySegment ALL = RawMemory.ALL;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final long LOWER = 0xFFFFFFFFL;

    private Fp32Vectors() {}

    static int sum2(long to, long a, long b, int n) {
        int end = (n * 4) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            store(to + i, load(a + i).add(load(b + i)));
        }
        return end / 4;
    }

    static int squares(long lanes, long row, int n) {
        int end = ((n * 4) & -(2 * Kernels.BLOCK_BYTES_32)) / 4;
        for (int i = 0; i < end; i += BYTES) {
            // Two vectors of each of two blocks fold to one vector of lanes.
            int within = i & (Kernels.LANE_BYTES - 1);
            long first = row + 4L * (i - within) + within + within;
            FloatVector left = pairs(load(first)).add(pairs(load(first + Kernels.BLOCK_BYTES_32)));
            FloatVector right = pairs(load(first + BYTES)).add(pairs(load(first + BYTES + Kernels.BLOCK_BYTES_32)));
            LongVector even = left.reinterpretAsInts().reinterpretAsLongs();
            LongVector odd = right.reinterpretAsInts().reinterpretAsLongs().lanewise(LSHL, 32);
            even.or(odd).reinterpretAsInts().intoMemorySegment(ALL, lanes + i, ORDER);
        }
        return end;
    }

    static int scale(long to, long row, long weight, float scale, int n) {
        int end = (n * 4) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            FloatVector value = load(row + i).mul(scale).mul(load(weight + i));
            storeCanonical(to + i, value);
        }
        return end / 4;
    }

    static int canonicalise(long to, long a, int n) {
        int end = (n * 4) & -BYTES;
        for (int i = 0; i < end; i += BYTES) {
            storeCanonical(to + i, load(a + i));
        }
        return end / 4;
    }

    /** Adds the blocks of lanes four by four, neighbours first, in place: {@code groups} blocks are left. */
    static int fold(long lanes, int groups) {
        int end = groups * Kernels.LANE_BYTES;
        for (int i = 0; i < end; i += BYTES) {
            int within = i & (Kernels.LANE_BYTES - 1);
            long first = lanes + 4L * (i - within) + within;
            FloatVector left = load(first).add(load(first + Kernels.LANE_BYTES));
            FloatVector right = load(first + 2 * Kernels.LANE_BYTES).add(load(first + 3 * Kernels.LANE_BYTES));
            store(lanes + i, left.add(right));
        }
        return groups;
    }

    /**
     * Adds squares two by two, into the even lanes; the odd ones become +0. {@link #squares} puts those of a second
     * vector there: an order of the lanes that differs from that of the specification, but is the same in every block.
     * {@link Kernels} puts it right when it adds the lanes.
     */
    private static FloatVector pairs(FloatVector values) {
        LongVector both = values.mul(values).reinterpretAsInts().reinterpretAsLongs();
        return both.and(LOWER).reinterpretAsFloats().add(both.lanewise(LSHR, 32).reinterpretAsFloats());
    }

    private static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(FLOATS, ALL, address, ORDER);
    }

    private static void store(long address, FloatVector value) {
        value.intoMemorySegment(ALL, address, ORDER);
    }

    private static void storeCanonical(long address, FloatVector value) {
        IntVector bits = value.reinterpretAsInts();
        bits.blend(Kernels.NAN, value.compare(NE, value).cast(INTS)).intoMemorySegment(ALL, address, ORDER);
    }
}
