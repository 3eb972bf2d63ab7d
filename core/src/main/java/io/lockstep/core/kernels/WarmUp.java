package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import java.lang.foreign.Arena;

/** Runs the loops of a dtype until the compiler has had its turn: before that they are a thousand times slower. */
final class WarmUp {
    private static final int ELEMENTS = 512;
    private static final int BATCH = 100;
    private static final long MOST_NANOS = 2_000_000_000L;

    /** A loop that takes longer for its elements has not been compiled yet. */
    private static final double SLOW_NANOS_PER_ELEMENT = 4;

    private final Kernels kernels;
    private final long[] inputs = new long[8];
    private final long out;

    private WarmUp(Kernels kernels, Arena arena) {
        this.kernels = kernels;
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = arena.allocate(ELEMENTS * Float.BYTES, 64).address();
        }
        out = arena.allocate(ELEMENTS * Float.BYTES, 64).address();
    }

    static void run(DType dtype, int vectorBits) {
        try (Arena arena = Arena.ofConfined()) {
            WarmUp warmUp = new WarmUp(Kernels.of(dtype, ELEMENTS, vectorBits, arena), arena);
            long start = System.nanoTime();
            while (warmUp.slowest() > SLOW_NANOS_PER_ELEMENT && System.nanoTime() - start < MOST_NANOS) {
                // Once more.
            }
        }
    }

    /** Runs every loop a few times; the nanoseconds an element of the slowest one. */
    private double slowest() {
        double slowest = 0;
        for (int ranks : new int[] {2, 3, 4, 8}) {
            slowest = Math.max(slowest, time(() -> kernels.sum(out, inputs, ranks, ELEMENTS)));
            if (kernels.sumsAndAdds(ranks)) {
                slowest = Math.max(slowest, time(() -> kernels.sumAdd(out, inputs, ranks, inputs[2], ELEMENTS)));
            }
        }
        slowest = Math.max(slowest, time(() -> kernels.add(out, inputs[0], inputs[1], ELEMENTS)));
        slowest = Math.max(slowest, time(() -> kernels.scaleFinite(out, inputs[0], inputs[1], 1, ELEMENTS)));
        slowest = Math.max(slowest, time(() -> kernels.squares(inputs[0], ELEMENTS)));
        slowest = Math.max(slowest, time(() -> kernels.scale(out, inputs[0], inputs[1], 1, ELEMENTS)));
        return Math.max(slowest, time(() -> kernels.canonicalise(out, inputs[0], ELEMENTS)));
    }

    private static double time(Runnable loop) {
        long start = System.nanoTime();
        for (int i = 0; i < BATCH; i++) {
            loop.run();
        }
        return (double) (System.nanoTime() - start) / BATCH / ELEMENTS;
    }
}
