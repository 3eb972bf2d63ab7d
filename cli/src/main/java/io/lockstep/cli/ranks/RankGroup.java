package io.lockstep.cli.ranks;

import io.lockstep.core.GroupSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The ranks of a command. One thread gives them orders; each order goes to all ranks, and all reports are awaited.
 *
 * @param <O> orders
 * @param <R> reports
 */
public final class RankGroup<O, R> implements AutoCloseable {
    /** After the first failure, how long others may still tell theirs: the cause is often not the first to be heard. */
    private static final Duration GATHERING = Duration.ofMillis(1500);

    private final BlockingQueue<Answer<R>> answers = new LinkedBlockingQueue<>();
    private final List<Link<O>> links = new ArrayList<>();
    private final Duration silence;

    private RankGroup(Duration silence) {
        this.silence = silence;
    }

    /**
     * Starts the ranks and returns at once; that they have joined shows with the first order.
     *
     * @param role what they do
     * @param spec their group; its rank is of no account
     * @param asProcesses whether each is a process of its own; else threads of this JVM
     * @param heapMegabytes the most heap that a rank's process may take
     */
    public static <O, R> RankGroup<O, R> start(
            Role<O, R> role, GroupSpec spec, boolean asProcesses, int heapMegabytes) {
        // A rank is silent while it waits for others, at most that long; what it then does by itself has a pulse.
        Duration longest =
                spec.joinTimeout().compareTo(spec.callTimeout()) > 0 ? spec.joinTimeout() : spec.callTimeout();
        RankGroup<O, R> group = new RankGroup<>(longest.plusSeconds(15));
        try {
            if (asProcesses) {
                for (int rank = 0; rank < spec.worldSize(); rank++) {
                    group.links.add(ProcessLink.start(role, spec, rank, heapMegabytes, group.answers));
                }
            } else {
                group.links.addAll(ThreadLink.start(role, spec, group.answers));
            }
            return group;
        } catch (RuntimeException failure) {
            group.close();
            throw failure;
        }
    }

    /**
     * Gives all ranks an order and waits for all reports.
     *
     * @param progress told how far the slowest rank has come, 0 to 1
     * @return the reports in rank order
     * @throws RanksFailedException if one fails; the group is closed then
     */
    public List<R> ask(O order, DoubleConsumer progress) {
        links.forEach(link -> link.send(order));
        return collect(progress, links.size());
    }

    /** The same, without telling how far they are. */
    public List<R> ask(O order) {
        return ask(order, done -> {});
    }

    /** Gives one rank an order and waits for its report. */
    public R askOne(int rank, O order) {
        links.get(rank).send(order);
        return Objects.requireNonNull(collect(done -> {}, 1).get(0));
    }

    private List<R> collect(DoubleConsumer progress, int expected) {
        List<@Nullable R> reports = new ArrayList<>();
        double[] done = new double[links.size()];
        long[] heard = new long[links.size()];
        for (int rank = 0; rank < links.size(); rank++) {
            reports.add(null);
            heard[rank] = System.nanoTime();
        }
        int missing = expected;
        while (missing > 0) {
            Answer<R> answer = poll(Duration.ofSeconds(1));
            if (answer != null) {
                heard[answer.rank()] = System.nanoTime();
                if (answer.failure() != null) {
                    throw failed(answer.failure());
                }
                done[answer.rank()] = answer.done();
                if (answer.report() != null) {
                    reports.set(answer.rank(), answer.report());
                    missing--;
                }
                double least = 1;
                for (double each : done) {
                    least = Math.min(least, each);
                }
                progress.accept(least);
            }
            requireHeard(reports, heard, expected);
        }
        return reports.stream()
                .filter(Objects::nonNull)
                .map(Objects::requireNonNull)
                .toList();
    }

    private void requireHeard(List<@Nullable R> reports, long[] heard, int expected) {
        for (int rank = 0; rank < heard.length && expected == heard.length; rank++) {
            if (reports.get(rank) == null && System.nanoTime() - heard[rank] > silence.toNanos()) {
                throw failed(new RankFailure(
                        rank,
                        RankFailure.Kind.SILENT,
                        "nothing was heard of it for " + silence.toSeconds()
                                + " s while it had work to do. It was ended; is the process stopped, or the machine "
                                + "overloaded?",
                        ""));
            }
        }
    }

    private RanksFailedException failed(RankFailure first) {
        List<RankFailure> failures = new ArrayList<>(List.of(first));
        long deadline = System.nanoTime() + GATHERING.toNanos();
        while (failures.size() < links.size() && System.nanoTime() < deadline) {
            Answer<R> answer = poll(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
            if (answer != null && answer.failure() != null) {
                failures.add(answer.failure());
            }
        }
        close();
        return new RanksFailedException(failures);
    }

    private @Nullable Answer<R> poll(Duration most) {
        try {
            return answers.poll(most.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new RanksFailedException(
                    List.of(new RankFailure(0, RankFailure.Kind.BUG, "the command was interrupted.", "")));
        }
    }

    /** Ends all ranks. */
    @Override
    public void close() {
        links.parallelStream().forEach(Link::close);
    }
}
