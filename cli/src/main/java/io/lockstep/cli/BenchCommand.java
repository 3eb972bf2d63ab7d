package io.lockstep.cli;

import io.lockstep.cli.bench.BenchFile;
import io.lockstep.cli.bench.BenchOptions;
import io.lockstep.cli.bench.BenchTable;
import io.lockstep.cli.bench.BenchVariants;
import io.lockstep.cli.bench.Placement;
import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Console;
import io.lockstep.cli.console.Json;
import io.lockstep.cli.console.Progress;
import io.lockstep.cli.machine.Machine;
import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lockstep bench}. */
@Command(
        name = "bench",
        description = {
            "Measure the fused step on this machine.",
            "",
            "The variants take turns in short blocks of one run. A sample is the slowest rank's time of one call after a "
                    + "barrier; inputs are written anew before each call, untimed. A flag's round trip is measured "
                    + "before and after every block, and blocks with near cores (under 200 ns) and far cores (over "
                    + "250 ns) are kept apart. GB/s is the bytes of one rank's input by p50. Ratios compare blocks of "
                    + "the same turn.",
            "",
            "On GPUs a sample is a call between two events, and with --graph also one of 50 calls in a captured graph, "
                    + "which the ranks begin together; tensors lie on the devices and are not written anew."
        },
        footer = {
            "",
            "Examples:",
            "  lockstep bench                                        10 shapes, 2 ranks, a minute",
            "  lockstep bench --shapes 1x2880,64x2880 --baseline two-shot --json bench.json",
            "  lockstep bench --backend cuda --graph --baseline nccl --protocol relaxed",
            "  lockstep plot bench.json -o bench.png"
        })
final class BenchCommand implements Callable<Integer> {
    /** A load for each core from which on others take time from the ranks. */
    private static final double BUSY = 0.5;

    private static final int WARM_UP_MILLIS = 400;
    private static final int WARM_UP_MILLIS_ON_GPUS = 60;
    private static final List<String> NOT_ON_GPUS =
            List.of("--algorithm", "--input", "--against", "--against-variants", "--bind");
    private static final List<String> ON_GPUS = List.of("--graph", "--variants", "--protocol");

    private final Console console;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Mixin
    private final GroupOptions group = new GroupOptions(2, "bench");

    @Option(
            names = "--algorithm",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "one-shot, two-shot or auto. Default: ${DEFAULT-VALUE}.")
    private String algorithm = "auto";

    @Option(
            names = "--input",
            paramLabel = "WHERE",
            defaultValue = "both",
            description = "private: the input lies in the caller's memory; lent: in the memory that the plan lends; "
                    + "or both. Default: ${DEFAULT-VALUE}.")
    private String input = "both";

    @Option(
            names = "--baseline",
            paramLabel = "NAME",
            defaultValue = "unfused",
            description =
                    "What ratios are to: unfused (all-reduce, add and norm as three passes), one-shot, two-shot or "
                            + "none; on GPUs any variant. Default: ${DEFAULT-VALUE}.")
    private String baseline = "unfused";

    @Option(names = "--graph", description = "On GPUs: measure calls in a captured graph too.")
    private boolean graph;

    @Option(
            names = "--variants",
            paramLabel = "LIST",
            description = "On GPUs: one-shot-push, two-shot-push, one-shot-pull, two-shot-pull, auto, unfused, nccl or "
                    + "protocols, with commas between. Default: all but protocols.")
    private @Nullable String variants;

    @Option(
            names = "--protocol",
            paramLabel = "NAME",
            description = "On GPUs: measure this protocol too, right or wrong, and the price of right ordering.")
    private @Nullable String protocol;

    @Option(
            names = "--against",
            paramLabel = "PROGRAM",
            description = "A program whose blocks take turns with ours. It is started with '--tp RANKS --serve' and "
                    + "answers lines 'block TOKENS HIDDEN ALGORITHM COPY MILLIS' with a line of JSON.")
    private @Nullable String against;

    @Option(
            names = "--against-variants",
            paramLabel = "LIST",
            defaultValue = "deepspeed-like:plain,fused:plain,fused:nt",
            description = "What that program runs: ALGORITHM:COPY, with commas between. Default: ${DEFAULT-VALUE}.")
    private String againstVariants = "deepspeed-like:plain,fused:plain,fused:nt";

    @Option(
            names = "--budget",
            paramLabel = "SECONDS",
            description = "How long all shapes may take together. Default: ${DEFAULT-VALUE}.")
    private int budget = 55;

    @Option(
            names = "--warmup",
            paramLabel = "MILLIS",
            description = "How long each variant runs before it is measured, for each shape. Default: 400, on GPUs 60.")
    private @Nullable Integer warmup;

    @Option(names = "--block", paramLabel = "MILLIS", description = "How long a block is. Default: ${DEFAULT-VALUE}.")
    private int block = 15;

    @Option(
            names = "--bind",
            paramLabel = "WHETHER",
            defaultValue = "auto",
            description = "Bind ranks to cores: yes, no, or auto (yes where there is a core for every rank). "
                    + "Default: ${DEFAULT-VALUE}.")
    private String bind = "auto";

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write the results as JSON, for plot; - is the output.")
    private @Nullable Path json;

    BenchCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        BenchOptions options = options();
        boolean quiet = json != null && json.toString().equals("-");
        if (!quiet) {
            console.out()
                    .println("Measuring " + options.shapes().size() + " shapes on " + options.worldSize() + " ranks, "
                            + options.dtype() + (options.bind() ? ", bound to cores" : "") + ". Warm-up: "
                            + options.warmup().toMillis()
                            + " ms of each variant and shape, not counted.");
            Machine.load().stream()
                    .filter(load -> load > BUSY * Machine.cores())
                    .forEach(load -> console.out()
                            .println("Other programs are running (load " + load + " on " + Machine.cores()
                                    + " cores): times will be longer than they are on a quiet machine."));
            console.out().println();
            console.out().flush();
        }
        BenchFile file;
        try (Progress progress = new Progress(console)) {
            file = BenchFile.measure(options, progress);
        }
        if (!quiet) {
            new BenchTable(console).print(file);
        }
        if (json != null) {
            Json.write(file, json, console);
        }
        return 0;
    }

    private BenchOptions options() {
        group.requireRanks();
        if (group.isSimulated()) {
            throw CommandFailure.usage("--backend is 'sim', which has no time to measure: it is for verify.");
        }
        positive("--budget", budget);
        int warmUp = warmup != null ? warmup : group.onGpus() ? WARM_UP_MILLIS_ON_GPUS : WARM_UP_MILLIS;
        positive("--warmup", warmUp);
        positive("--block", block);
        List<String> program =
                against == null ? List.of() : List.of(against.strip().split("\\s+"));
        DType type = group.dtype();
        if (!program.isEmpty() && type != DType.BF16) {
            throw CommandFailure.usage("--against measures bf16 only, and --dtype is " + type + ".");
        }
        Options.refuse(
                spec,
                group.onGpus() ? "ranks on GPUs have --variants" : "it is for ranks on GPUs",
                group.onGpus() ? NOT_ON_GPUS : ON_GPUS);
        BenchVariants measured = group.onGpus()
                ? BenchVariants.onGpus(variants == null ? "" : variants, protocol, baseline)
                : BenchVariants.of(input, Algorithm.of(algorithm), baseline, program.isEmpty() ? "" : againstVariants);
        return new BenchOptions(
                group.worldSize(),
                group.shapes(),
                type,
                measured.variants(),
                measured.baseline(),
                Duration.ofSeconds(budget),
                Duration.ofMillis(warmUp),
                Duration.ofMillis(block),
                group.threads(),
                !group.onGpus() && bound(),
                program,
                group.backend(),
                settings(),
                group.asProcesses());
    }

    private List<Placement> settings() {
        if (!group.onGpus()) {
            return List.of();
        }
        return graph ? List.of(Placement.GRAPH, Placement.EAGER) : List.of(Placement.EAGER);
    }

    private boolean bound() {
        return switch (bind) {
            case "yes" -> true;
            case "no" -> false;
            case "auto" -> group.worldSize() <= Machine.cores();
            default -> throw CommandFailure.usage("--bind is '" + bind + "': expected yes, no or auto.");
        };
    }

    private static void positive(String option, int value) {
        if (value < 1) {
            throw CommandFailure.usage(option + " is " + value + ": expected 1 or more.");
        }
    }
}
