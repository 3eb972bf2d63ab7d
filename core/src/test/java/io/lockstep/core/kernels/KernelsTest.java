package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.reference.Elements;
import io.lockstep.core.reference.Reference;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every loop, at every width, equals the specification bit for bit. */
class KernelsTest {
    private static final int[] HIDDEN = {1, 2, 7, 8, 31, 32, 33, 64, 127, 264, 520, 2040, 2880, 4096, 7168, 16384};

    static Stream<Arguments> everyTypeAtEveryWidth() {
        List<Arguments> all = new ArrayList<>();
        for (DType dtype : DType.values()) {
            for (int bits : new int[] {Kernels.SCALAR, 128, 256, 512}) {
                all.add(Arguments.of(dtype, bits));
            }
        }
        return all.stream();
    }

    @ParameterizedTest(name = "{0} at {1} bits")
    @MethodSource("everyTypeAtEveryWidth")
    void aRowEqualsTheSpecification(DType dtype, int bits) {
        long seed = 20261122;
        SplittableRandom random = new SplittableRandom(seed);
        for (int hidden : HIDDEN) {
            for (int ranks = 2; ranks <= 8; ranks++) {
                for (Values values : Values.values()) {
                    check(dtype, bits, hidden, ranks, values, random);
                }
            }
        }
    }

    private static void check(DType dtype, int bits, int hidden, int ranks, Values values, SplittableRandom random) {
        try (Arena arena = Arena.ofConfined()) {
            Kernels kernels = Kernels.of(dtype, hidden, bits, arena);
            Operation operation = new Operation(
                    dtype,
                    hidden,
                    1,
                    values == Values.TINY ? 0 : 1e-6f,
                    io.lockstep.core.Algorithm.ONE_SHOT,
                    true,
                    true);
            float[][] inputs = new float[ranks][];
            long[] addresses = new long[ranks];
            for (int rank = 0; rank < ranks; rank++) {
                MemorySegment tensor = tensor(arena, dtype, hidden);
                values.fill(dtype, tensor, hidden, random);
                inputs[rank] = floats(dtype, tensor, hidden);
                addresses[rank] = tensor.address();
            }
            MemorySegment residual = tensor(arena, dtype, hidden);
            values.fill(dtype, residual, hidden, random);
            MemorySegment weight = tensor(arena, dtype, hidden);
            values.fill(dtype, weight, hidden, random);

            float[] reducedExpected = new float[hidden];
            float[] residualExpected = new float[hidden];
            float[] outExpected = new float[hidden];
            Reference.row(
                    operation,
                    inputs,
                    floats(dtype, residual, hidden),
                    floats(dtype, weight, hidden),
                    reducedExpected,
                    residualExpected,
                    outExpected);

            MemorySegment raw = tensor(arena, dtype, hidden);
            MemorySegment reduced = tensor(arena, dtype, hidden);
            MemorySegment residualOut = tensor(arena, dtype, hidden);
            MemorySegment out = tensor(arena, dtype, hidden);
            kernels.sum(raw.address(), addresses, ranks, hidden);
            kernels.canonicalise(reduced.address(), raw.address(), hidden);
            kernels.add(residualOut.address(), raw.address(), residual.address(), hidden);
            MemorySegment atOnce = tensor(arena, dtype, hidden).copyFrom(residual);
            kernels.sumAdd(atOnce.address(), addresses, ranks, atOnce.address(), hidden);
            kernels.canonicalise(atOnce.address(), atOnce.address(), hidden);
            float sum = kernels.squares(residualOut.address(), hidden);
            kernels.canonicalise(residualOut.address(), residualOut.address(), hidden);
            float scale = Reference.scale(sum, hidden, operation.epsilon());
            boolean finite = values == Values.ORDINARY && hidden % 2 == 0;
            if (finite) {
                kernels.scaleFinite(out.address(), residualOut.address(), weight.address(), scale, hidden);
            } else {
                kernels.scale(out.address(), residualOut.address(), weight.address(), scale, hidden);
            }

            String where = dtype + " at " + bits + " bits, hidden " + hidden + ", " + ranks + " ranks, " + values;
            assertSame(where + ", reduced", dtype, reduced, reducedExpected);
            assertSame(where + ", residual_out", dtype, residualOut, residualExpected);
            assertSame(where + ", residual_out at once", dtype, atOnce, residualExpected);
            assertSame(where + ", out", dtype, out, outExpected);
        }
    }

    /** At an odd address, as a row of odd length may lie. */
    private static MemorySegment tensor(Arena arena, DType dtype, int hidden) {
        return arena.allocate((long) hidden * dtype.bytes() + dtype.bytes() + 1, 64)
                .asSlice(dtype.bytes() + 1L - 1);
    }

    private static float[] floats(DType dtype, MemorySegment tensor, int hidden) {
        float[] row = new float[hidden];
        for (int i = 0; i < hidden; i++) {
            row[i] = Elements.get(dtype, tensor, i);
        }
        return row;
    }

    private static void assertSame(String where, DType dtype, MemorySegment tensor, float[] expected) {
        for (int i = 0; i < expected.length; i++) {
            int found = Float.floatToRawIntBits(Elements.get(dtype, tensor, i));
            int wanted = Float.floatToRawIntBits(expected[i]);
            if (found != wanted) {
                throw new AssertionError(where + ", element " + i + ": found " + Integer.toHexString(found)
                        + ", expected " + Integer.toHexString(wanted));
            }
        }
    }

    /** What the tensors hold. */
    enum Values {
        /** Numbers near 1, of both signs. */
        ORDINARY {
            @Override
            int bits(DType dtype, SplittableRandom random) {
                return Float.floatToRawIntBits((float) (random.nextGaussian() * 2));
            }
        },
        /** Any pattern of bits: NaN of every payload, infinities, subnormals, both zeros. */
        ANY_BITS {
            @Override
            int bits(DType dtype, SplittableRandom random) {
                return random.nextInt();
            }
        },
        /** Subnormals and zeros, so that sums and squares underflow. */
        TINY {
            @Override
            int bits(DType dtype, SplittableRandom random) {
                int magnitude = dtype == DType.FP16 ? random.nextInt(0x400) : random.nextInt(0x800000);
                return random.nextBoolean() ? magnitude : magnitude | 0x80000000;
            }
        },
        /** Numbers of every size, so that sums overflow and round. */
        WIDE_RANGE {
            @Override
            int bits(DType dtype, SplittableRandom random) {
                return Float.floatToRawIntBits(
                        (float) (random.nextGaussian() * Math.scalb(1.0, random.nextInt(-30, 30))));
            }
        };

        abstract int bits(DType dtype, SplittableRandom random);

        void fill(DType dtype, MemorySegment tensor, int n, SplittableRandom random) {
            for (int i = 0; i < n; i++) {
                int bits = bits(dtype, random);
                switch (dtype) {
                    case BF16 -> setShort(tensor, i, (short) (bits >>> 16));
                    case FP16 -> {
                        boolean number = this == ORDINARY || this == WIDE_RANGE;
                        setShort(
                                tensor,
                                i,
                                number
                                        ? Float.floatToFloat16(Float.intBitsToFloat(bits))
                                        : (short) ((bits & 0x7FFF) | (bits >>> 31 << 15)));
                    }
                    case FP32 -> tensor.set(java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED, i * 4L, bits);
                }
            }
        }

        private static void setShort(MemorySegment tensor, int i, short value) {
            tensor.set(java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED, i * 2L, value);
        }
    }
}
