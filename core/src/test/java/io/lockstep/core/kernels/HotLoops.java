package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;

/** The program of {@link InliningTest}'s child: runs every loop, or the one that is too large, until it is compiled. */
final class HotLoops {
    private static final int ELEMENTS = 2880;
    private static final int CALLS = 3000;
    private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(10);

    private HotLoops() {}

    static void main(String[] arguments) {
        if (arguments.length > 0 && arguments[0].equals("oversized")) {
            oversized();
        } else {
            kernels();
        }
        System.out.println("all loops ran");
    }

    private static void kernels() {
        try (Arena arena = Arena.ofConfined()) {
            long[] inputs = new long[8];
            for (int i = 0; i < inputs.length; i++) {
                inputs[i] = arena.allocate(ELEMENTS * 4L, 64).address();
            }
            long out = arena.allocate(ELEMENTS * 4L, 64).address();
            long start = System.nanoTime();
            for (DType dtype : DType.values()) {
                Kernels kernels = Kernels.of(dtype, ELEMENTS, Kernels.preferredVectorBits(), arena);
                for (int call = 0; call < CALLS && System.nanoTime() - start < MOST_NANOS; call++) {
                    for (int ranks : new int[] {2, 3, 4, 8}) {
                        kernels.sum(out, inputs, ranks, ELEMENTS);
                    }
                    kernels.add(out, inputs[0], inputs[1], ELEMENTS);
                    kernels.sumAdd(out, inputs, 2, inputs[2], ELEMENTS);
                    float squares = kernels.squares(inputs[0], ELEMENTS);
                    kernels.scale(out, inputs[0], inputs[1], 1 + squares, ELEMENTS);
                    kernels.scaleFinite(out, inputs[0], inputs[1], 2, ELEMENTS);
                    kernels.canonicalise(out, inputs[0], ELEMENTS);
                }
            }
        }
    }

    private static void oversized() {
        long start = System.nanoTime();
        try (Arena arena = Arena.ofConfined()) {
            long memory = arena.allocate(ELEMENTS * 4L, 64).address();
            for (int call = 0; call < CALLS && System.nanoTime() - start < MOST_NANOS; call++) {
                OversizedLoop.run(memory, ELEMENTS);
            }
        }
    }
}
