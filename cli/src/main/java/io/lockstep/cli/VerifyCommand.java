package io.lockstep.cli;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Console;
import io.lockstep.cli.console.Json;
import io.lockstep.cli.console.Progress;
import io.lockstep.cli.gpu.GpuPlans;
import io.lockstep.cli.verify.SimulatedOptions;
import io.lockstep.cli.verify.SimulatedVerifier;
import io.lockstep.cli.verify.Verification;
import io.lockstep.cli.verify.Verifier;
import io.lockstep.cli.verify.VerifyJson;
import io.lockstep.cli.verify.VerifyOptions;
import io.lockstep.cli.verify.VerifyTable;
import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
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
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

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
            "  lockstep verify --plant lose-last-row                 must exit 1 and show where",
            "  lockstep verify --backend cuda --tp 2 --iterations 2000     on two GPUs, every exchange",
            "  lockstep verify --backend sim --protocol relaxed --shapes 1319x2880      wrong numbers, on any machine"
        })
final class VerifyCommand implements Callable<Integer> {
    private static final List<String> NOT_SIMULATED =
            List.of("--algorithm", "--plant", "--plant-rank", "--save-failure", "--threads", "--ranks-as");

    private static final String SIMULATED_PROTOCOL = "two-shot-pull";

    private final Console console;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Mixin
    private final GroupOptions group = new GroupOptions(8, "verify");

    @ArgGroup(exclusive = false, heading = "%nOn a simulated machine, with --backend sim:%n")
    private SimulatorOptions simulator = new SimulatorOptions();

    @Option(
            names = "--algorithm",
            paramLabel = "NAME",
            defaultValue = "all",
            description =
                    "one-shot, two-shot, auto, both of the first two, or all. On GPUs also one-shot-push, two-shot-push, "
                            + "one-shot-pull and two-shot-pull; all is these four and auto. Default: ${DEFAULT-VALUE}.")
    private String algorithm = "all";

    @Option(
            names = "--protocol",
            paramLabel = "NAME",
            description = "How devices order their accesses: a name that 'lockstep litmus' lists, right or wrong. On "
                    + "GPUs, in the place of --algorithm; with --backend sim, where the default is "
                    + SIMULATED_PROTOCOL + ".")
    private @Nullable String protocol;

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

    VerifyCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        group.requireRanks();
        require(iterations >= 0, "--iterations is " + iterations + ": expected 1 or more, or 0 for the budget's sake.");
        require(budget >= 1, "--budget is " + budget + ": expected 1 or more seconds.");
        return group.isSimulated() ? simulate() : verify();
    }

    private int simulate() {
        Options.refuse(spec, "--backend sim has no ranks of its own", NOT_SIMULATED);
        require(group.dtype() == DType.BF16, "--backend sim computes in bf16, and --dtype is " + group.dtype() + ".");
        SimulatedVerifier verifier = new SimulatedVerifier(
                new SimulatedOptions(
                        GpuPlans.protocol(protocol == null ? SIMULATED_PROTOCOL : protocol),
                        simulator.machine(),
                        group.worldSize(),
                        group.shapes(),
                        givenSeed(),
                        iterations,
                        Duration.ofSeconds(budget),
                        simulator.calm(),
                        simulator.full()),
                console);
        return verifier.run(json);
    }

    private int verify() {
        Options.refuse(spec, "only --backend sim is a simulated machine", SimulatorOptions.NAMES);
        VerifyOptions options = options();
        boolean quiet = json != null && json.toString().equals("-");
        if (!quiet) {
            console.out()
                    .println("Verifying " + options.shapes().size() + " shapes on " + options.worldSize() + " ranks, "
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
        require(
                faultyRank >= 0 && faultyRank < group.worldSize(),
                "--plant-rank is " + faultyRank + ": expected 0 to " + (group.worldSize() - 1) + ".");
        if (fault != null) {
            requireFault(fault);
            require(
                    !fault.equals(Fault.SKIP_ROUNDING.label()) || group.dtype() != DType.FP32,
                    "--plant skip-rounding needs --dtype bf16 or fp16: a sum in fp32 is not rounded.");
        }
        if (saveFailure != null) {
            require(
                    Files.isDirectory(saveFailure),
                    "--save-failure is " + saveFailure + ": expected a folder that exists.");
        }
        return new VerifyOptions(
                group.worldSize(),
                group.shapes(),
                group.dtype(),
                algorithms(),
                givenSeed(),
                iterations,
                Duration.ofSeconds(budget),
                fault,
                faultyRank,
                saveFailure,
                group.threads(),
                group.asProcesses(),
                group.backend());
    }

    private List<String> algorithms() {
        boolean onGpus = group.onGpus();
        if (onGpus && fault != null) {
            throw CommandFailure.usage("--plant is given, but faults are planted in ranks of --backend cpu alone.");
        }
        if (protocol != null) {
            require(onGpus, "--protocol is given, but ranks of --backend cpu run the protocols of their own.");
            Options.refuse(spec, "--protocol takes its place", List.of("--algorithm"));
            return List.of(GpuPlans.requireProtocol(protocol));
        }
        List<String> exchanges = GpuPlans.exchanges();
        if (onGpus && algorithm.equals("all")) {
            return GpuPlans.labels();
        }
        if (exchanges.contains(algorithm)) {
            require(onGpus, "--algorithm is '" + algorithm + "', which ranks on GPUs alone have: found --backend cpu.");
            return List.of(algorithm);
        }
        return algorithm.equals("both") || algorithm.equals("all")
                ? List.of(Algorithm.ONE_SHOT.label(), Algorithm.TWO_SHOT.label())
                : List.of(Algorithm.of(algorithm).label());
    }

    private static void requireFault(String label) {
        require(
                Arrays.stream(Fault.values()).anyMatch(known -> known.label().equals(label)),
                "--plant is '" + label + "': expected "
                        + Arrays.stream(Fault.values()).map(Fault::label).collect(Collectors.joining(", ")) + ".");
    }

    private long givenSeed() {
        return seed == null ? ThreadLocalRandom.current().nextLong(1_000_000_000L) : seed;
    }

    private static void require(boolean holds, String sentence) {
        if (!holds) {
            throw CommandFailure.usage(sentence);
        }
    }
}
