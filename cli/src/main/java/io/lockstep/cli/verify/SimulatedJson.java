package io.lockstep.cli.verify;

import io.lockstep.cli.console.Json;
import io.lockstep.litmus.sim.SimulationResult;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code --json} holds after a simulation: one result for each shape.
 *
 * @param schema changes when a reader has to change
 * @param command {@code verify}
 * @param verdict right or wrong
 * @param backend {@code sim}
 * @param adversary eager or calm
 */
record SimulatedJson(
        int schema,
        String command,
        String verdict,
        String backend,
        int ranks,
        String dtype,
        String protocol,
        String machine,
        String adversary,
        long seed,
        double seconds,
        List<Result> results) {

    /**
     * A line of the table.
     *
     * @param hung how a device came to wait for ever; null if none did
     * @param firstBad null where nothing is wrong
     */
    record Result(
            int tokens,
            int hidden,
            int iterations,
            int wrongIterations,
            long wrongRows,
            double maxAbsErr,
            @Nullable FirstBadCall firstBad,
            @Nullable String hung,
            String verdict,
            double millisecondsPerIteration) {}

    /** The first wrong call: by iteration, counted from 0, then by rank and row. */
    record FirstBadCall(int iteration, int rank, int row) {}

    static SimulatedJson of(SimulatedOptions options, List<SimulationResult> results, double seconds) {
        return new SimulatedJson(
                Json.SCHEMA,
                "verify",
                results.stream().allMatch(SimulationResult::right) ? "right" : "wrong",
                "sim",
                options.worldSize(),
                "bf16",
                options.protocol().name(),
                options.machine().label(),
                options.calm() ? "calm" : "eager",
                options.seed(),
                seconds,
                results.stream().map(SimulatedJson::result).toList());
    }

    private static Result result(SimulationResult result) {
        SimulationResult.FirstBad bad = result.firstBad();
        return new Result(
                result.tokens(),
                result.hidden(),
                result.iterations(),
                result.wrongIterations(),
                result.wrongRows(),
                result.maxAbsError(),
                bad == null ? null : new FirstBadCall(bad.iteration(), bad.device(), bad.row()),
                result.hung(),
                result.right() ? "right" : "wrong",
                result.millisecondsPerIteration());
    }
}
