package io.lockstep.core.cpu;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.planning.Crossover;
import java.lang.foreign.Arena;
import java.util.Arrays;

/** Times calls of a plan. */
final class CpuTrial implements Crossover.Trial {
    /** Past so many bytes a rank one-shot is never the faster one. */
    static final long MOST_BYTES = 4L * 1024 * 1024;

    private static final int CALLS = 9;
    private static final int WARM_UP_CALLS = 3000;

    private final CpuPlan plan;
    private final Arena arena = Arena.ofConfined();
    private final Tensors tensors;

    CpuTrial(CpuPlan plan, int tokens) {
        this.plan = plan;
        tensors = tensors(plan.operation(), tokens, arena);
    }

    /** Before the compiler has had its turn, both are slow, and neither tells. */
    @Override
    public void warmUp() {
        for (int call = 0; call < WARM_UP_CALLS; call++) {
            plan.run(1, tensors, call % 2 == 0 ? Algorithm.ONE_SHOT : Algorithm.TWO_SHOT);
        }
    }

    @Override
    public double time(int tokens, Algorithm algorithm) {
        plan.run(tokens, tensors, algorithm);
        long[] nanos = new long[CALLS];
        for (int call = 0; call < CALLS; call++) {
            long start = System.nanoTime();
            plan.run(tokens, tensors, algorithm);
            nanos[call] = System.nanoTime() - start;
        }
        Arrays.sort(nanos);
        return nanos[CALLS / 2];
    }

    @Override
    public void close() {
        arena.close();
    }

    private static Tensors tensors(Operation operation, int tokens, Arena arena) {
        long bytes = tokens * operation.rowBytes();
        Tensors tensors = Tensors.of(arena.allocate(bytes, PlanLayout.LINE));
        if (operation.residual()) {
            tensors = tensors.withResidual(arena.allocate(bytes, PlanLayout.LINE))
                    .withResidualOut(arena.allocate(bytes, PlanLayout.LINE));
        }
        if (operation.norm()) {
            tensors = tensors.withWeight(arena.allocate(operation.rowBytes(), PlanLayout.LINE))
                    .withOut(arena.allocate(bytes, PlanLayout.LINE));
        }
        return operation.residual() || operation.norm()
                ? tensors
                : tensors.withReduced(arena.allocate(bytes, PlanLayout.LINE));
    }
}
