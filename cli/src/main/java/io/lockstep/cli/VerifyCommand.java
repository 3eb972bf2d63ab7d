package io.lockstep.cli;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Console;
import io.lockstep.cli.console.Json;
import io.lockstep.cli.console.Progress;
import io.lockstep.cli.inputs.Shape;
import io.lockstep.cli.verify.Verification;
import io.lockstep.cli.verify.Verifier;
import io.lockstep.cli.verify.VerifyJson;
import io.lockstep.cli.verify.VerifyOptions;
import io.lockstep.cli.verify.VerifyTable;
import io.lockstep.core.Algorithm;
import io.lockstep.core.Backends;
import io.lockstep.core.DType;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.cpu.Fault;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lockstep verify}. */
@Command(
        name = "verify",
        description = {
            "Check that the fused step gives the right bits on this machine.",
            "",
            "Starts the ranks, gives each its own random inputs, runs all-reduce + residual add + RMSNorm, and lets every "
                    + "rank compare every bit of its outputs with the scalar specification. Without options it takes "
                    + "about a minute. Exit code 1 if anything is wrong."
        },
        footer = {
            "",
            "Examples:",
            "  lockstep verify                                       13 shapes, 8 ranks, a minute",
            "  lockstep verify --tp 4 --shapes 1x2880,64x2880 --budget 10",
            "  lockstep verify --plant lose-last-row                 must exit 1 and show where"
        })
final class VerifyCommand implements Callable<Integer> {
    private final Console console;

    @Option(names = "--tp", paramLabel = "RANKS", description = "How many ranks, 2 to 8. Default: ${DEFAULT-VALUE}.")
    private int worldSize = 8;

    @Option(
            names = "--shapes",
            paramLabel = "SHAPES",
            defaultValue = "verify",
            description = "TOKENSxHIDDEN, with commas between; 'verify' is the 13 shapes, 'bench' the 10 of bench. "
                    + "Default: ${DEFAULT-VALUE}.")
    private String shapes = "verify";

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            defaultValue = "bf16",
            description = "bf16, fp16 or fp32. Default: ${DEFAULT-VALUE}.")
    private String dtype = "bf16";

    @Option(
            names = "--algorithm",
            paramLabel = "NAME",
            defaultValue = "both",
            description = "one-shot, two-shot, auto, or both of the first two. Default: ${DEFAULT-VALUE}.")
    private String algorithm = "both";

    @Option(
            names = "--seed",
            paramLabel = "NUMBER",
            description = "What all inputs come from. Default: a random one, printed.")
    private @Nullable Long seed;

    @Option(
            names = "--iterations",
            paramLabel = "COUNT",
            description =
                    "Of every shape. Default: as many as the budget allows, at least 3, or 1 of the largest shapes.")
    private int iterations;

    @Option(
            names = "--budget",
            paramLabel = "SECONDS",
            description = "How long all shapes may take together. Default: ${DEFAULT-VALUE}.")
    private int budget = 60;

    @Option(
            names = "--plant",
            paramLabel = "FAULT",
            description = "Let one rank misbehave, to see that it is found: publish-before-write, skip-reuse-wait, "
                    + "read-wrong-rank, lose-last-row or skip-rounding.")
    private @Nullable String fault;

    @Option(
            names = "--plant-rank",
            paramLabel = "RANK",
            description = "Which rank misbehaves. Default: ${DEFAULT-VALUE}.")
    private int faultyRank = 1;

    @Option(
            names = "--save-failure",
            paramLabel = "DIR",
            description = "Write the first wrong call there, as a file that 'lockstep apply' can run again.")
    private @Nullable Path saveFailure;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the results as JSON; - is the output.")
    private @Nullable Path json;

    @Option(
            names = "--threads",
            paramLabel = "COUNT",
            description = "Threads of each rank. Default: the backend chooses.")
    private int threads;

    @Option(
            names = "--ranks-as",
            paramLabel = "HOW",
            defaultValue = "processes",
            description = "processes or threads. Default: ${DEFAULT-VALUE}.")
    private String ranksAs = "processes";

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            defaultValue = "cpu",
            description = "Where the ranks live. Default: ${DEFAULT-VALUE}.")
    private String backend = "cpu";

    VerifyCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        VerifyOptions options = options();
        boolean quiet = json != null && json.toString().equals("-");
        if (!quiet) {
            console.out()
                    .println("Verifying " + options.shapes().size() + " shapes on " + worldSize + " ranks, "
                            + options.dtype() + ", seed " + options.seed()
                            + (fault == null
                                    ? "."
                                    : ". A fault is planted: rank " + faultyRank + " "
                                            + Fault.of(fault).describe() + "."));
            console.out().flush();
        }
        Verification found;
        try (Progress progress = new Progress(console)) {
            found = new Verifier(options, progress).run();
        }
        if (!quiet) {
            new VerifyTable(options, console).print(found);
        }
        if (json != null) {
            Json.write(VerifyJson.of(options, found), json, console);
        }
        return found.status();
    }

    private VerifyOptions options() {
        // Refuses what no rank could be given, before any is started.
        GroupSpec.of("verify", 0, worldSize).withThreads(threads);
        Backends.named(backend);
        require(iterations >= 0, "--iterations is " + iterations + ": expected 1 or more, or 0 for the budget's sake.");
        require(budget >= 1, "--budget is " + budget + ": expected 1 or more seconds.");
        require(
                faultyRank >= 0 && faultyRank < worldSize,
                "--plant-rank is " + faultyRank + ": expected 0 to " + (worldSize - 1) + ".");
        if (fault != null) {
            requireFault(fault);
            require(
                    !fault.equals(Fault.SKIP_ROUNDING.label()) || !dtype.equals(DType.FP32.label()),
                    "--plant skip-rounding needs --dtype bf16 or fp16: a sum in fp32 is not rounded.");
        }
        if (saveFailure != null) {
            require(
                    Files.isDirectory(saveFailure),
                    "--save-failure is " + saveFailure + ": expected a folder that exists.");
        }
        return new VerifyOptions(
                worldSize,
                Shape.parse(shapes),
                DType.of(dtype),
                algorithm.equals("both")
                        ? List.of(Algorithm.ONE_SHOT, Algorithm.TWO_SHOT)
                        : List.of(Algorithm.of(algorithm)),
                seed == null ? ThreadLocalRandom.current().nextLong(1_000_000_000L) : seed,
                iterations,
                Duration.ofSeconds(budget),
                fault,
                faultyRank,
                saveFailure,
                threads,
                processes(ranksAs),
                backend);
    }

    private static void requireFault(String label) {
        require(
                Arrays.stream(Fault.values()).anyMatch(known -> known.label().equals(label)),
                "--plant is '" + label + "': expected "
                        + Arrays.stream(Fault.values()).map(Fault::label).collect(Collectors.joining(", ")) + ".");
    }

    static boolean processes(String text) {
        require(
                text.equals("processes") || text.equals("threads"),
                "--ranks-as is '" + text + "': expected processes or threads.");
        return text.equals("processes");
    }

    private static void require(boolean holds, String sentence) {
        if (!holds) {
            throw CommandFailure.usage(sentence);
        }
    }
}
