package io.lockstep.benchmarks;

import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.lockstep.core.posix.RawMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.CompilerControl;

/**
 * Sum and residual as a system without Lockstep's contract may compute them. {@code hidden} is a multiple of a vector.
 */
final class LooseRow {
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int BYTES = INTS.vectorByteSize();
    private static final MemorySegment ALL = RawMemory.ALL;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final int ODD = 0xFFFF0000;

    private final int bytes;
    private final MemorySegment keptAlive;

    LooseRow(int hidden, Arena arena) {
        bytes = hidden * 2;
        keptAlive = arena.allocate(64, 64);
    }

    void sumAdd(long to, long a, long b, long residual) {
        add(to, a, b, residual, bytes);
    }

    float sumAddSquares(long to, long a, long b, long residual) {
        long partial = keptAlive.address();
        addSquares(to, a, b, residual, partial, bytes);
        return FloatVector.fromMemorySegment(FLOATS, ALL, partial, ORDER).reduceLanes(ADD);
    }

    // Inlined into its caller, a loop of vectors is past what the compiler can hold, and is not compiled to vectors.
    @CompilerControl(CompilerControl.Mode.DONT_INLINE)
    private static void add(long to, long a, long b, long residual, int bytes) {
        for (int i = 0; i < bytes; i += BYTES) {
            IntVector x = IntVector.fromMemorySegment(INTS, ALL, a + i, ORDER);
            IntVector y = IntVector.fromMemorySegment(INTS, ALL, b + i, ORDER);
            IntVector z = IntVector.fromMemorySegment(INTS, ALL, residual + i, ORDER);
            store(
                    to + i,
                    round(even(x).add(even(y)).add(even(z))),
                    round(odd(x).add(odd(y)).add(odd(z))));
        }
    }

    @CompilerControl(CompilerControl.Mode.DONT_INLINE)
    private static void addSquares(long to, long a, long b, long residual, long partial, int bytes) {
        FloatVector squares = FloatVector.zero(FLOATS);
        for (int i = 0; i < bytes; i += BYTES) {
            IntVector x = IntVector.fromMemorySegment(INTS, ALL, a + i, ORDER);
            IntVector y = IntVector.fromMemorySegment(INTS, ALL, b + i, ORDER);
            IntVector z = IntVector.fromMemorySegment(INTS, ALL, residual + i, ORDER);
            FloatVector e = even(x).add(even(y)).add(even(z));
            FloatVector o = odd(x).add(odd(y)).add(odd(z));
            store(to + i, round(e), round(o));
            squares = o.fma(o, e.fma(e, squares));
        }
        squares.intoMemorySegment(ALL, partial, ORDER);
    }

    private static FloatVector even(IntVector pairs) {
        return pairs.lanewise(LSHL, 16).reinterpretAsFloats();
    }

    private static FloatVector odd(IntVector pairs) {
        return pairs.and(ODD).reinterpretAsFloats();
    }

    private static IntVector round(FloatVector value) {
        IntVector bits = value.reinterpretAsInts();
        return bits.lanewise(LSHR, 16).and(1).add(0x7FFF).add(bits);
    }

    private static void store(long address, IntVector even, IntVector odd) {
        even.lanewise(LSHR, 16).or(odd.and(ODD)).intoMemorySegment(ALL, address, ORDER);
    }
}
