package io.lockstep.examples;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Two ranks, one layer: each has a partial sum of the layer's output, both get the normalised whole. */
public final class OneLayer {
    static final int TOKENS = 16;
    static final int HIDDEN = 2880;

    public static void main(String[] args) {
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            for (Communicator rank : Communicator.threads(GroupSpec.of("one-layer", 0, 2))) {
                threads.execute(() -> run(rank));
            }
        }
    }

    static void run(Communicator communicator) {
        Operation operation = Operation.allReduceResidualRmsNorm(DType.BF16, HIDDEN, TOKENS);
        try (communicator;
                Plan plan = communicator.plan(operation);
                Arena arena = Arena.ofShared()) {
            MemorySegment residual = tensor(arena, TOKENS * HIDDEN, 1.0f);
            MemorySegment out = tensor(arena, TOKENS * HIDDEN, 0.0f);
            Tensors tensors = Tensors.lent()
                    .withResidual(residual)
                    .withResidualOut(residual)
                    .withWeight(tensor(arena, HIDDEN, 0.5f))
                    .withOut(out);

            // The matrix product writes its partial sums where the other rank can read them.
            MemorySegment partial = plan.input().segment();
            for (int i = 0; i < TOKENS * HIDDEN; i++) {
                partial.setAtIndex(JAVA_SHORT, i, bf16(communicator.rank() + 1.0f));
            }
            plan.run(TOKENS, tensors);

            System.out.printf(
                    "rank %d: 1 + 2 + residual 1 = %.0f, normalised and halved = %.1f%n",
                    communicator.rank(),
                    value(residual.getAtIndex(JAVA_SHORT, 0)),
                    value(out.getAtIndex(JAVA_SHORT, 0)));
        }
    }

    private static MemorySegment tensor(Arena arena, int elements, float value) {
        MemorySegment tensor = arena.allocate(JAVA_SHORT, elements);
        for (int i = 0; i < elements; i++) {
            tensor.setAtIndex(JAVA_SHORT, i, bf16(value));
        }
        return tensor;
    }

    /** Exact for the small numbers of this example. */
    private static short bf16(float value) {
        return (short) (Float.floatToIntBits(value) >>> 16);
    }

    private static float value(short bf16) {
        return Float.intBitsToFloat(bf16 << 16);
    }

    private OneLayer() {}
}
