package io.lockstep.cli.verify;

import io.lockstep.cli.console.Progress;
import io.lockstep.cli.inputs.Shape;
import io.lockstep.cli.machine.Machine;
import io.lockstep.cli.ranks.RankFailure;
import io.lockstep.cli.ranks.RankGroup;
import io.lockstep.cli.ranks.RanksFailedException;
import io.lockstep.cli.verify.ShapeResult.Verdict;
import io.lockstep.core.GroupSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The parent's side: starts the ranks, goes through the shapes within the budget, and gathers what the ranks found. */
public final class Verifier {
    private static final Duration JOIN_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(30);
    private static final int HEAP_MEGABYTES = 256;
    /** What a rank takes beside the tensors: its JVM and the plans' shared memory. */
    private static final long RANK_BYTES = 150L << 20;

    private static final double MEMORY_SHARE = 0.9;
    private static final long BATCH_NANOS = 400_000_000;

    private final VerifyOptions options;
    private final Progress progress;
    private final List<ShapeResult> results = new ArrayList<>();
    private final long start = System.nanoTime();
    private @Nullable String saved;

    public Verifier(VerifyOptions options, Progress progress) {
        this.options = options;
        this.progress = progress;
    }

    /** Runs it all. A rank's failure is part of what is found, not an exception. */
    public Verification run() {
        List<Shape> shapes = options.shapes().stream()
                .sorted(java.util.Comparator.comparingLong(Shape::elements))
                .toList();
        RankFailure failure = null;
        progress.show("starting " + options.worldSize() + " ranks");
        try (RankGroup<VerifyOrder, VerifyReport> group =
                RankGroup.start(VerifyWorker.ROLE, spec(), options.asProcesses(), HEAP_MEGABYTES)) {
            TimeBudget budget =
                    new TimeBudget(shapes, options.budget(), start, (double) options.worldSize() / Machine.cores());
            for (Shape shape : shapes) {
                results.add(verify(group, shape, budget));
            }
        } catch (RanksFailedException failed) {
            failure = failed.first();
            String reason = failed.getMessage();
            results.add(new ShapeResult(shapes.get(results.size()), Verdict.FAILED, 0, 0, List.of(), reason));
            while (results.size() < shapes.size()) {
                results.add(ShapeResult.skipped(shapes.get(results.size()), "A rank had failed before."));
            }
        }
        return new Verification(List.copyOf(results), failure, saved, (System.nanoTime() - start) / 1e9);
    }

    private GroupSpec spec() {
        String name = "verify-"
                + HexFormat.of()
                        .toHexDigits(
                                System.nanoTime() ^ (ProcessHandle.current().pid() << 32));
        return GroupSpec.of(name, 0, options.worldSize())
                .withBackend(options.backend())
                .withThreads(options.threads())
                .withJoinTimeout(JOIN_TIMEOUT)
                .withCallTimeout(CALL_TIMEOUT);
    }

    private ShapeResult verify(RankGroup<VerifyOrder, VerifyReport> group, Shape shape, TimeBudget budget) {
        long until = budget.until(System.nanoTime());
        String shortage = shortage(shape);
        if (shortage != null) {
            return ShapeResult.skipped(shape, shortage);
        }
        show(shape, 0, 0);
        group.ask(VerifyOrder.plan(options.subject(shape)));
        List<Tally> tallies =
                new ArrayList<>(Collections.nCopies(options.algorithms().size(), Tally.RIGHT));
        int done = 0;
        long calls = 0;
        int count = 1;
        boolean right = true;
        long perIteration = 1;
        while (right && count > 0) {
            int before = done;
            long batchBegan = System.nanoTime();
            List<VerifyReport> reports = group.ask(VerifyOrder.run(done, count), part -> show(shape, before, part));
            done += count;
            reports.forEach(report -> Tally.add(tallies, report.tallies()));
            calls += reports.getFirst().calls();
            right = tallies.stream().allMatch(Tally::right);
            perIteration = Math.max(1, (System.nanoTime() - batchBegan) / count);
            count = nextCount(shape, done, count, perIteration, until);
        }
        if (!right) {
            save(group, shape, tallies);
        }
        group.ask(VerifyOrder.release());
        budget.measured(shape, perIteration);
        return new ShapeResult(shape, right ? Verdict.RIGHT : Verdict.WRONG, done, calls, List.copyOf(tallies), null);
    }

    /** How many iterations to ask for next; 0 when the shape is done. */
    private int nextCount(Shape shape, int done, int count, long perIteration, long until) {
        int wanted = options.iterations();
        // A failing call is saved from the ranks' memory: it must be the last of its batch.
        int fits = options.saveFailure() != null ? 1 : (int) Math.min(2L * count, 1 + BATCH_NANOS / perIteration);
        if (wanted > 0) {
            return Math.min(fits, wanted - done);
        }
        int fewest = TimeBudget.fewest(shape);
        if (done < fewest) {
            return Math.min(fits, fewest - done);
        }
        long left = until - System.nanoTime();
        return (int) Math.min(fits, left / perIteration);
    }

    private void save(RankGroup<VerifyOrder, VerifyReport> group, Shape shape, List<Tally> tallies) {
        Path folder = options.saveFailure();
        if (folder == null || saved != null) {
            return;
        }
        FirstBad bad = Objects.requireNonNull(
                tallies.stream().reduce(Tally.RIGHT, Tally::plus).firstBad());
        Path file = folder.resolve("verify-" + shape + "-" + options.dtype() + "-seed" + options.seed() + "-iteration"
                + bad.iteration() + ".safetensors");
        group.askOne(
                bad.rank(),
                VerifyOrder.save(bad.iteration(), file.toAbsolutePath().toString()));
        saved = file.toString();
    }

    private @Nullable String shortage(Shape shape) {
        OptionalLong available = Machine.memoryAvailable();
        long tensors = options.onGpus()
                ? GpuTrial.hostBytes(shape, options.dtype())
                : HostTrial.privateBytes(
                        shape, options.dtype(), options.algorithms().size());
        long needed = options.worldSize() * (tensors + RANK_BYTES);
        if (available.isEmpty() || needed <= available.getAsLong() * MEMORY_SHARE) {
            return null;
        }
        return "It needs about " + Machine.bytes(needed) + " for " + options.worldSize() + " ranks, and "
                + Machine.bytes(available.getAsLong()) + " are free: use fewer ranks (--tp) or one --algorithm.";
    }

    private void show(Shape shape, int done, double part) {
        progress.show(String.format(
                Locale.ROOT,
                "verify %d/%d  %s  %d iterations%s  %.0f s",
                results.size() + 1,
                options.shapes().size(),
                shape,
                done,
                part > 0 && part < 1 ? String.format(Locale.ROOT, " (%.0f %% of the next)", part * 100) : "",
                (System.nanoTime() - start) / 1e9));
    }
}
