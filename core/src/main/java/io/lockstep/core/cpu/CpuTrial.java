package io.lockstep.core.cpu;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.planning.Crossover;
import java.lang.foreign.Arena;
import java.time.Duration;

/** Times calls of a plan. */
final class CpuTrial implements Crossover.Trial {
    /** Past so many bytes a rank one-shot is never the faster one. */
    static final long MOST_BYTES = 4L * 1024 * 1024;

    private static final int BATCHES = 4;
    private static final int CALLS = 4;
    /** Measured with four ranks on two processors: two-shot wins clearly at 16 rows, and not at 4. */
    private static final int FEW_ROWS = 8;

    /** Ranks move between near and far cores, and the choice stays. */
    static final double CLEARLY = 0.85;

    private static final int WARM_UPS = 300;
    private static final int WARM_UP_CALLS = 10;

    /** A row takes the interpreter up to 100 ms, and the compiler has to do its work beside it. */
    private static final Duration WARM_UP = Duration.ofSeconds(4);

    private static final Duration WARM_UP_CROWDED = Duration.ofMillis(500);

    private final CpuPlan plan;
    private final Arena arena = Arena.ofConfined();
    private final Tensors tensors;
    private final boolean crowded;

    CpuTrial(CpuPlan plan, int tokens, boolean crowded) {
        this.plan = plan;
        this.crowded = crowded;
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
    public int warmUps() {
        return WARM_UPS;
    }

    /** Where ranks take turns, what is not measured has a good answer too: no time is spent on it. */
    @Override
    public Duration warmUpTime() {
        return crowded ? WARM_UP_CROWDED : WARM_UP;
    }

    /**
     * Where ranks take turns on a processor, all do the whole work of one-shot: from few rows on two-shot does less.
     */
    @Override
    public boolean unmeasured(int tokens) {
        return crowded && tokens >= FEW_ROWS;
    }

    /**
     * The best of several batches, since other programs only ever add to a time. Of several calls together, since a
     * rank may be done with one call long before the others are where they share processors.
     */
    @Override
    public double time(int tokens, Algorithm algorithm) {
        plan.run(tokens, tensors, algorithm);
        long fastest = Long.MAX_VALUE;
        for (int batch = 0; batch < BATCHES; batch++) {
            long start = System.nanoTime();
            for (int call = 0; call < CALLS; call++) {
                plan.run(tokens, tensors, algorithm);
            }
            fastest = Math.min(fastest, System.nanoTime() - start);
        }
        return (double) fastest / CALLS;
    }

    @Override
    public double clearly() {
        return CLEARLY;
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
