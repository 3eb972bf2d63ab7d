package io.lockstep.core.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.invoke.MethodType.methodType;

import io.lockstep.core.DType;
import io.lockstep.core.posix.RawMemory;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;

/**
 * The arithmetic of one dtype. Every address is that of native memory, of any alignment; every length is in elements.
 * An instance holds scratch memory: each thread has its own.
 *
 * <p>What these loops pass to one another is raw: right in every bit unless it is a NaN, and a NaN if it should be one.
 * {@link #canonicalise} makes every NaN the one NaN; {@link #scale} writes no other.
 */
public abstract sealed class Kernels permits DirectKernels, Fp16Kernels {
    /** In place of a vector width: scalar code alone. */
    public static final int SCALAR = 0;

    /** The sum of squares folds a row by blocks of this many elements, to {@link #LANES} lanes of fp32. */
    static final int BLOCK = 32;

    static final int LANES = BLOCK / 2;
    static final int LANE_BYTES = LANES * Float.BYTES;
    static final int BLOCK_BYTES_16 = BLOCK * 2;
    static final int BLOCK_BYTES_32 = BLOCK * 4;
    static final int NAN = 0x7FC00000;
    static final int INFINITY = 0x7F800000;

    /** How many elements are summed in fp32 scratch before the next ones: they stay in the first-level cache. */
    static final int WIDE = 2048;

    // The shapes of the loops: results first, then what they read, then how many elements.
    static final MethodType UNARY = methodType(int.class, long.class, long.class, int.class);
    static final MethodType BINARY = methodType(int.class, long.class, long.class, long.class, int.class);
    static final MethodType TERNARY = methodType(int.class, long.class, long.class, long.class, long.class, int.class);
    static final MethodType QUATERNARY =
            methodType(int.class, long.class, long.class, long.class, long.class, long.class, int.class);
    static final MethodType SCALE = methodType(int.class, long.class, long.class, long.class, float.class, int.class);
    private static final MethodType FOLD = methodType(int.class, long.class, int.class);

    private final DType dtype;
    private final int[] places;
    private final MethodHandle fold;

    /** Where the lanes of a row are written; room for its blocks, and for filling up to a multiple of four. */
    final long lanes;

    /** Where {@link #WIDE} elements are summed in fp32. */
    final long wide;

    Kernels(DType dtype, int hidden, Width width, int[] places, Arena scratch) {
        this.dtype = dtype;
        this.places = places;
        long blocks = (hidden + BLOCK - 1L) / BLOCK + 3;
        lanes = scratch.allocate(blocks * LANE_BYTES, LANE_BYTES).address();
        wide = scratch.allocate((long) WIDE * Float.BYTES, LANE_BYTES).address();
        fold = width.loop(Fp32Vectors.class, "fold", FOLD);
    }

    /**
     * The kernels of a type.
     *
     * @param hidden the longest row, in elements
     * @param vectorBits 128, 256, 512 or {@link #SCALAR}
     * @param scratch where the scratch memory comes from
     */
    public static Kernels of(DType dtype, int hidden, int vectorBits, Arena scratch) {
        Width width = Width.of(vectorBits);
        return switch (dtype) {
            case BF16 -> new Bf16Kernels(hidden, width, scratch);
            case FP16 -> new Fp16Kernels(hidden, width, scratch);
            case FP32 -> new Fp32Kernels(hidden, width, scratch);
        };
    }

    /** The width that this machine computes with, or {@link #SCALAR} where the Vector API is not there. */
    public static int preferredVectorBits() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent() ? Width.preferred() : SCALAR;
    }

    /** Has the loops of a type compiled, once in this JVM; returns at once where that is done. */
    public static void warmUp(DType dtype, int vectorBits) {
        Width.of(vectorBits).once(dtype, () -> WarmUp.run(dtype, vectorBits));
    }

    /** {@code to = round(inputs[0] + inputs[1] + …)}, raw; {@code to} is none of the inputs. */
    public final void sum(long to, long[] inputs, int ranks, int n) {
        Scalars.sum(dtype, to, inputs, ranks, sumLoop(to, inputs, ranks, n), n);
    }

    /** {@code to = round(a + b)}, raw; {@code to} may be either. */
    public final void add(long to, long a, long b, int n) {
        Scalars.add(dtype, to, a, b, addLoop(to, a, b, n), n);
    }

    /**
     * Whether {@link #sumAdd} has a vector loop for so many ranks: where one loop for both steps is no slower than two.
     */
    public boolean sumsAndAdds(int ranks) {
        return false;
    }

    /**
     * {@code to = round(round(inputs[0] + inputs[1] + …) + addend)}, raw; scalar code unless it {@link #sumsAndAdds}.
     * {@code to} may be the addend and is none of the inputs.
     */
    public final void sumAdd(long to, long[] inputs, int ranks, long addend, int n) {
        int done = sumsAndAdds(ranks) ? sumAddLoop(to, inputs, addend, n) : 0;
        Scalars.sumAdd(dtype, to, inputs, ranks, addend, done, n);
    }

    /** The sum of the squares of a row. */
    public final float squares(long row, int n) {
        return fold(squaresLoop(row, n), row, n);
    }

    /** {@code to = round(row · scale · weight)}; {@code to} may be the row. */
    public final void scale(long to, long row, long weight, float scale, int n) {
        Scalars.scale(dtype, to, row, weight, scale, scaleLoop(to, row, weight, scale, n), n);
    }

    /** As {@link #scale}, a little faster: nothing in the row, the scale and the weight is infinite or NaN. */
    public final void scaleFinite(long to, long row, long weight, float scale, int n) {
        Scalars.scale(dtype, to, row, weight, scale, scaleFiniteLoop(to, row, weight, scale, n), n);
    }

    /** Copies, every NaN made the one NaN; {@code to} may be {@code from}. */
    public final void canonicalise(long to, long from, int n) {
        Scalars.canonicalise(dtype, to, from, canonicaliseLoop(to, from, n), n);
    }

    abstract int sumLoop(long to, long[] inputs, int ranks, int n);

    /** None of the elements: the scalar code does them all. */
    int sumAddLoop(long to, long[] inputs, long addend, int n) {
        return 0;
    }

    abstract int addLoop(long to, long a, long b, int n);

    /** Done in whole pairs of blocks: a pair is folded to one block of lanes. */
    abstract int squaresLoop(long row, int n);

    abstract int scaleLoop(long to, long row, long weight, float scale, int n);

    int scaleFiniteLoop(long to, long row, long weight, float scale, int n) {
        return scaleLoop(to, row, weight, scale, n);
    }

    abstract int canonicaliseLoop(long to, long from, int n);

    private float fold(int done, long row, int n) {
        if (done < n) {
            Scalars.squares(dtype, lanes, places, row, done, n);
        }
        int blocks = (n + 2 * BLOCK - 1) / (2 * BLOCK);
        while (blocks > 1) {
            int groups = (blocks + 3) / 4;
            clear(lanes + (long) blocks * LANE_BYTES, lanes + (long) groups * 4 * LANE_BYTES);
            if (foldLoop(groups) < groups) {
                Scalars.fold(lanes, groups);
            }
            blocks = groups;
        }
        return (four(0) + four(4)) + (four(8) + four(12));
    }

    private float four(int lane) {
        return (lane(lane) + lane(lane + 1)) + (lane(lane + 2) + lane(lane + 3));
    }

    private float lane(int lane) {
        return RawMemory.ALL.get(JAVA_FLOAT_UNALIGNED, lanes + (long) places[lane] * Float.BYTES);
    }

    private static void clear(long from, long end) {
        for (long address = from; address < end; address += Long.BYTES) {
            RawMemory.ALL.set(JAVA_LONG_UNALIGNED, address, 0L);
        }
    }

    private int foldLoop(int groups) {
        try {
            return (int) fold.invokeExact(lanes, groups);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** The loops throw nothing. */
    static AssertionError unexpected(Throwable e) {
        return new AssertionError("A loop of the kernels failed.", e);
    }

    /** Lane l of the specification lies at place l. */
    static int[] placesInOrder() {
        int[] places = new int[LANES];
        for (int lane = 0; lane < LANES; lane++) {
            places[lane] = lane;
        }
        return places;
    }
}
