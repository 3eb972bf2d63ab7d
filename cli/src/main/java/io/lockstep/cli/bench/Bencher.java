package io.lockstep.cli.bench;

import io.lockstep.cli.console.Progress;
import io.lockstep.cli.inputs.Shape;
import io.lockstep.cli.machine.Machine;
import io.lockstep.cli.ranks.RankGroup;
import io.lockstep.core.GroupSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The parent's side: starts the ranks, lets the variants take turns, and keeps what they measured. */
public final class Bencher {
    private static final int HEAP_MEGABYTES = 256;
    private static final int MOST_ITERATIONS = 4000;
    private static final int FEWEST_ITERATIONS = 3;
    private static final int FEWEST_REPETITIONS = 3;
    private static final int PROBE = 5;
    /** Tensors of a rank and a plan's lent buffers, counted generously. */
    private static final int TENSORS = 8;

    private final BenchOptions options;
    private final Progress progress;
    private final List<Variant> ours;
    private final long start = System.nanoTime();
    private int shapesDone;

    public Bencher(BenchOptions options, Progress progress) {
        this.options = options;
        this.progress = progress;
        this.ours = options.variants().stream()
                .filter(variant -> variant.kind() != Variant.Kind.EXTERNAL)
                .toList();
    }

    /** Measures everything. */
    public List<ShapeMeasurement> run() {
        List<ShapeMeasurement> measurements = new ArrayList<>();
        progress.show("starting " + options.worldSize() + " ranks");
        try (RankGroup<BenchOrder, BenchReport> group =
                        RankGroup.start(BenchWorker.ROLE, spec(), options.asProcesses(), HEAP_MEGABYTES);
                Rival rival = new Rival()) {
            for (Shape shape : options.shapes()) {
                String shortage = shortage(shape);
                measurements.add(
                        shortage == null
                                ? measure(group, rival, shape)
                                : new ShapeMeasurement(shape, Map.of(), Map.of(), Map.of(), shortage));
                shapesDone++;
            }
        }
        return measurements;
    }

    /** The external program, where there is one. */
    private final class Rival implements AutoCloseable {
        private final @Nullable ExternalProgram program =
                options.against().isEmpty() ? null : ExternalProgram.start(options.against(), options.worldSize());

        Block block(int repetition, Shape shape, Variant variant, Duration length) {
            ExternalProgram.Answer answer = Objects.requireNonNull(program).block(shape, variant.external(), length);
            return new Block(
                    repetition,
                    Placement.of(answer.rttBeforeNs(), answer.rttAfterNs()),
                    (answer.rttBeforeNs() + answer.rttAfterNs()) / 2,
                    0,
                    answer.iterations(),
                    new Percentiles(answer.p50Us(), answer.p90Us(), answer.p99Us()),
                    new long[0]);
        }

        @Override
        public void close() {
            if (program != null) {
                program.close();
            }
        }
    }

    private GroupSpec spec() {
        String name = "bench-"
                + HexFormat.of()
                        .toHexDigits(
                                System.nanoTime() ^ (ProcessHandle.current().pid() << 32));
        return GroupSpec.of(name, 0, options.worldSize())
                .withBackend(options.backend())
                .withThreads(options.threads())
                .withBindThreads(options.bind())
                .withJoinTimeout(Duration.ofSeconds(60));
    }

    private ShapeMeasurement measure(RankGroup<BenchOrder, BenchReport> group, Rival rival, Shape shape) {
        long began = System.nanoTime();
        long left = options.budget().toNanos() - (began - start);
        long until = began + left / (options.shapes().size() - shapesDone);
        show(shape, "planning", 0);
        BenchReport planned = group.ask(BenchOrder.plan(
                        new BenchOrder.Subject(shape.tokens(), shape.hidden(), options.dtype(), ours, options.bind())))
                .getFirst();
        Map<Variant, String> algorithms = new LinkedHashMap<>();
        Map<Variant, String> absent = new LinkedHashMap<>();
        for (Variant variant : ours) {
            algorithms.put(variant, planned.algorithms().get(ours.indexOf(variant)));
            String why = planned.absent().get(ours.indexOf(variant));
            if (!why.isEmpty()) {
                absent.put(variant, why);
            }
        }
        List<Variant> variants = options.variants().stream()
                .filter(variant -> !absent.containsKey(variant))
                .toList();
        Map<Turn, Integer> iterations = warmUp(group, rival, shape, variants);
        Map<Variant, List<Block>> blocks = new LinkedHashMap<>();
        variants.forEach(variant -> blocks.put(variant, new ArrayList<>()));
        int repetition = 0;
        while (repetition < FEWEST_REPETITIONS || System.nanoTime() < until) {
            for (int i = 0; i < variants.size(); i++) {
                // Each turn begins with another variant, so that none is always the one after a copy.
                Variant variant = variants.get((i + repetition) % variants.size());
                show(shape, variant.name(), repetition);
                List<Block> all = Objects.requireNonNull(blocks.get(variant));
                if (variant.kind() == Variant.Kind.EXTERNAL) {
                    all.add(rival.block(repetition, shape, variant, options.block()));
                } else {
                    for (Turn turn : turns(variant)) {
                        all.add(block(group, repetition, turn, Objects.requireNonNull(iterations.get(turn))));
                    }
                }
            }
            repetition++;
        }
        group.ask(BenchOrder.release());
        return new ShapeMeasurement(shape, blocks, algorithms, absent, null);
    }

    /**
     * What a block is made of.
     *
     * @param variant its place among ours
     * @param setting how calls on GPUs are made; null on the host
     */
    private record Turn(int variant, @Nullable Placement setting) {}

    private List<Turn> turns(Variant variant) {
        int place = ours.indexOf(variant);
        return options.onGpus()
                ? options.settings().stream()
                        .map(setting -> new Turn(place, setting))
                        .toList()
                : List.of(new Turn(place, null));
    }

    /** Runs every variant until it is compiled and its memory is there; tells how many iterations make a block. */
    private Map<Turn, Integer> warmUp(
            RankGroup<BenchOrder, BenchReport> group, Rival rival, Shape shape, List<Variant> variants) {
        Map<Turn, Integer> iterations = new LinkedHashMap<>();
        List<Turn> all = variants.stream()
                .filter(variant -> variant.kind() != Variant.Kind.EXTERNAL)
                .flatMap(variant -> turns(variant).stream())
                .toList();
        for (Turn turn : all) {
            long end = System.nanoTime() + options.warmup().toNanos();
            int count = PROBE;
            long fastest = Long.MAX_VALUE;
            do {
                show(shape, "warm-up of " + ours.get(turn.variant()).name(), 0);
                long began = System.nanoTime();
                group.ask(BenchOrder.run(turn.variant(), count, turn.setting()));
                // With the rewriting of the inputs, so that a block lasts as long as it was asked to.
                fastest = Math.clamp((System.nanoTime() - began) / count, 1, fastest);
                count = Math.clamp(options.block().toNanos() / fastest, FEWEST_ITERATIONS, MOST_ITERATIONS);
                iterations.put(turn, count);
            } while (System.nanoTime() < end);
        }
        for (Variant variant : variants) {
            if (variant.kind() == Variant.Kind.EXTERNAL) {
                rival.block(0, shape, variant, options.warmup());
            }
        }
        return iterations;
    }

    private Block block(RankGroup<BenchOrder, BenchReport> group, int repetition, Turn turn, int iterations) {
        Placement setting = turn.setting();
        double before = setting == null ? ping(group) : 0;
        List<BenchReport> reports = group.ask(BenchOrder.run(turn.variant(), iterations, setting));
        double after = setting == null ? ping(group) : 0;
        long[] slowest = new long[iterations];
        for (BenchReport report : reports) {
            for (int i = 0; i < slowest.length; i++) {
                slowest[i] = Math.max(slowest[i], report.nanos()[i]);
            }
        }
        return new Block(
                repetition,
                setting == null ? Placement.of(before, after) : setting,
                (before + after) / 2,
                reports.stream().mapToDouble(BenchReport::hostNanos).max().orElse(0),
                slowest.length,
                Percentiles.of(slowest),
                slowest);
    }

    private double ping(RankGroup<BenchOrder, BenchReport> group) {
        return group.ask(BenchOrder.ping()).getFirst().roundTripNanos();
    }

    private @Nullable String shortage(Shape shape) {
        OptionalLong available = Machine.memoryAvailable();
        long needed = options.worldSize() * shape.elements() * options.dtype().bytes() * TENSORS;
        if (options.onGpus() || available.isEmpty() || needed <= available.getAsLong()) {
            return null;
        }
        return "It needs about " + Machine.bytes(needed) + " for " + options.worldSize() + " ranks, and "
                + Machine.bytes(available.getAsLong()) + " are free.";
    }

    private void show(Shape shape, String what, int repetition) {
        progress.show(String.format(
                Locale.ROOT,
                "bench %d/%d  %s  %s  turn %d  %.0f s",
                shapesDone + 1,
                options.shapes().size(),
                shape,
                what,
                repetition + 1,
                (System.nanoTime() - start) / 1e9));
    }
}
