package io.lockstep.cli.verify;

import io.lockstep.cli.console.Console;
import io.lockstep.cli.console.ExitStatus;
import io.lockstep.cli.console.Json;
import io.lockstep.cli.console.Progress;
import io.lockstep.cli.console.Table;
import io.lockstep.cli.inputs.Shape;
import io.lockstep.litmus.sim.Simulation;
import io.lockstep.litmus.sim.SimulationResult;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Runs a protocol on the simulated machine, shape by shape, and tells what came of it. */
public final class SimulatedVerifier {
    /** So many iterations of each shape are run, however little of the budget is left. */
    private static final int FEWEST = 3;

    private final SimulatedOptions options;
    private final Console console;
    private final long start = System.nanoTime();

    public SimulatedVerifier(SimulatedOptions options, Console console) {
        this.options = options;
        this.console = console;
    }

    /**
     * Runs it all and prints it.
     *
     * @param json the file for the results, or null
     * @return the exit code: 0 if every row of every call was right, 1 if any was wrong or a device waits for ever
     */
    public int run(@Nullable Path json) {
        boolean quiet = json != null && json.toString().equals("-");
        if (!quiet) {
            console.out()
                    .println("Simulating " + options.protocol().name() + " on " + options.worldSize()
                            + " devices of the machine '" + options.machine().label() + "', bf16, "
                            + (options.calm() ? "calm" : "eager") + " adversary, seed " + options.seed() + ".");
            console.out().flush();
        }
        List<SimulationResult> results = new ArrayList<>();
        try (Progress progress = new Progress(console)) {
            for (int i = 0; i < options.shapes().size(); i++) {
                results.add(simulate(i, progress));
            }
        }
        if (!quiet) {
            print(results);
        }
        if (json != null) {
            Json.write(SimulatedJson.of(options, results, (System.nanoTime() - start) / 1e9), json, console);
        }
        return results.stream().allMatch(SimulationResult::right) ? ExitStatus.RIGHT : ExitStatus.WRONG;
    }

    private SimulationResult simulate(int index, Progress progress) {
        Shape shape = options.shapes().get(index);
        boolean bounded = options.iterations() > 0;
        long now = System.nanoTime();
        long left = start + options.budget().toNanos() - now;
        long until = now + left / (options.shapes().size() - index);
        return Simulation.of(
                        options.protocol(),
                        options.worldSize(),
                        shape.tokens(),
                        shape.hidden(),
                        bounded ? options.iterations() : Integer.MAX_VALUE,
                        options.seed())
                .on(options.machine())
                .withCalm(options.calm())
                .withFull(options.full())
                .run((iterations, wrong) -> {
                    progress.show(String.format(
                            Locale.ROOT,
                            "simulate %d/%d  %s  %d iterations",
                            index + 1,
                            options.shapes().size(),
                            shape,
                            iterations));
                    return bounded || (!wrong && (iterations < FEWEST || System.nanoTime() < until));
                });
    }

    private void print(List<SimulationResult> results) {
        Table table = new Table()
                .right("shape")
                .right("iterations")
                .right("wrong rows")
                .right("max_abs_err")
                .left("first_bad")
                .right("ms/iteration")
                .left("verdict");
        for (SimulationResult result : results) {
            table.row(List.of(
                    new Shape(result.tokens(), result.hidden()).toString(),
                    Integer.toString(result.iterations()),
                    Long.toString(result.wrongRows()),
                    error(result),
                    brief(result),
                    String.format(Locale.ROOT, "%.1f", result.millisecondsPerIteration()),
                    result.right() ? console.good("right") : console.bad("WRONG")));
        }
        console.out().print(table.render());
        console.out().println();
        results.stream()
                .filter(result -> result.hung() != null)
                .forEach(result -> console.out()
                        .println(new Shape(result.tokens(), result.hidden()) + " hangs: " + result.hung() + "."));
        console.out().println(sentence(results));
        console.out().flush();
    }

    /** A hang has no numbers. */
    private static String error(SimulationResult result) {
        if (result.hung() != null && result.wrongRows() == 0) {
            return "-";
        }
        return result.right() ? "0" : String.format(Locale.ROOT, "%.3g", result.maxAbsError());
    }

    private static String brief(SimulationResult result) {
        SimulationResult.FirstBad bad = result.firstBad();
        return bad == null ? "-" : "iteration " + bad.iteration() + ", rank " + bad.device() + ", row " + bad.row();
    }

    private String sentence(List<SimulationResult> results) {
        String group = options.worldSize() + " simulated devices";
        long wrong = results.stream().filter(result -> !result.right()).count();
        if (wrong == 0) {
            long iterations =
                    results.stream().mapToLong(SimulationResult::iterations).sum();
            return console.good("Right") + ": " + results.size() + " shapes on " + group + ", " + iterations
                    + " calls of " + options.protocol().name() + ", seed " + options.seed()
                    + ". A simulation is no proof: 'lockstep litmus' judges the protocol.";
        }
        return console.bad("WRONG") + ": " + wrong + " of " + results.size() + " shapes on " + group
                + ". The same again: --seed " + options.seed() + ". Why: 'lockstep litmus --explain "
                + options.protocol().name() + "'.";
    }
}
