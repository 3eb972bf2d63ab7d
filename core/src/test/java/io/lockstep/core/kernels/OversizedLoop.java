package io.lockstep.core.kernels;

import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.lockstep.core.posix.RawMemory;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** A loop with more vector operations than the compiler will inline into one method. */
final class OversizedLoop {
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int BYTES = INTS.vectorByteSize();

    private OversizedLoop() {}

    static void run(long memory, int n) {
        for (int i = 0; i + BYTES <= n * 4; i += BYTES) {
            IntVector x = IntVector.fromMemorySegment(INTS, RawMemory.ALL, memory + i, ByteOrder.nativeOrder());
            IntVector y = x.add(1);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x = step(x, y);
            y = step(y, x);
            x.add(y).intoMemorySegment(RawMemory.ALL, memory + i, ByteOrder.nativeOrder());
        }
    }

    private static IntVector step(IntVector a, IntVector b) {
        return a.lanewise(LSHR, 1).and(0x7FFF).add(b).blend(7, a.compare(GT, b));
    }
}
