package io.lockstep.cli.verify;

import io.lockstep.cli.gpu.GpuPlans;
import io.lockstep.cli.inputs.Shape;
import io.lockstep.cli.ranks.Pulse;
import io.lockstep.cli.verify.VerifyOrder.Subject;
import io.lockstep.core.DType;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.gpu.GpuCommunicator;
import io.lockstep.gpu.GpuGraph;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.collective.DeviceCheck;
import io.lockstep.gpu.collective.Difference;
import io.lockstep.gpu.collective.GpuDiagnostics;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * On ranks of GPUs: the device makes the inputs of all ranks from the seeds, runs the specification on them without any
 * peer, once for all exchanges, and compares every output of every call. In the first iterations the host's scalar
 * specification judges the device's, and each exchange makes one more call, with tensors of the host. Before the first
 * one the device's arithmetic is asked of every number.
 *
 * <p>Every output is overwritten before its call, so that what a call does not write is wrong. How iterations take
 * turns: {@link GpuWay}.
 */
final class GpuTrial implements Trial {
    /** In so many iterations of a shape the host judges the device's specification. */
    static final int JUDGED_BY_THE_HOST = 3;

    private static final List<String> OUTPUT_NAMES = List.of("reduced", "residual_out", "out");
    private static final byte NOT_WRITTEN = (byte) 0xA5;
    private static final long MOST_PAUSE_NANOS = 2_000_000;
    private static final int CALLS_OF_REPLAYS = 7;
    private static final int HOST_TENSORS = 9;

    private final GpuCommunicator communicator;
    private final Subject subject;
    private final Shape shape;
    private final Operation operation;
    private final Arena arena = Arena.ofShared();
    private final DeviceCheck check;
    private final GpuTensors tensors;
    private final List<GpuPlan> plans = new ArrayList<>();
    private final List<@Nullable GpuGraph> graphs = new ArrayList<>();
    private final List<@Nullable Outputs> found = new ArrayList<>();
    private final Specification specification;
    private final Specification judgeOfTheDevice;
    private @Nullable HostTensors host;

    /** What the calls with tensors of the host need, and the device's specification brought there. */
    private record HostTensors(
            MemorySegment input, MemorySegment residual, MemorySegment weight, Outputs wanted, Outputs found) {}

    GpuTrial(GpuCommunicator communicator, Subject subject) {
        this.communicator = communicator;
        this.subject = subject;
        shape = subject.shape();
        operation = Operation.allReduceResidualRmsNorm(subject.dtype(), shape.hidden(), shape.tokens())
                .withEpsilon(subject.epsilon());
        check = GpuDiagnostics.check(communicator, operation);
        for (String label : subject.algorithms()) {
            plans.add(GpuPlans.plan(communicator, operation, label, check.stream()));
            graphs.add(null);
            found.add(null);
        }
        tensors = new GpuTensors(communicator, operation);
        int ranks = communicator.worldSize();
        specification = new Specification(subject, operation, ranks, communicator.rank(), "", arena);
        judgeOfTheDevice =
                new Specification(subject, operation, ranks, communicator.rank(), "the device's own ", arena);
    }

    /** The memory of the host that one rank takes. */
    static long hostBytes(Shape shape, DType dtype) {
        return HOST_TENSORS * shape.bytes(dtype);
    }

    @Override
    public VerifyReport run(long first, int count, Pulse pulse) {
        List<Tally> tallies = new ArrayList<>(Collections.nCopies(plans.size(), Tally.RIGHT));
        long calls = 0;
        for (int i = 0; i < count; i++) {
            double before = (double) i / count;
            calls += iterate(first + i, tallies, part -> pulse.beat(before + part / count));
            pulse.beat(before);
        }
        return new VerifyReport(tallies, calls);
    }

    /** How many calls of each exchange it has made. */
    private int iterate(long iteration, List<Tally> tallies, java.util.function.DoubleConsumer progress) {
        GpuWay way = GpuWay.of(iteration);
        int shift = way.shifted() ? subject.dtype().bytes() : 0;
        prepare(iteration, shift);
        boolean judged = iteration < JUDGED_BY_THE_HOST;
        if (iteration == 0) {
            check.requireArithmetic();
        }
        if (judged) {
            Tally ofDevice = judge(iteration, progress);
            tallies.replaceAll(tally -> tally.plus(ofDevice));
        }
        SplittableRandom random = new SplittableRandom(subject.seed() * 31 + iteration);
        List<Integer> tokens = way.tokens(shape.tokens(), random);
        SplittableRandom pauses = new SplittableRandom(random.nextLong() + communicator.rank());
        for (int i = 0; i < plans.size(); i++) {
            GpuPlan plan = plans.get(i);
            if (way.skewed()) {
                check.pause(pauses.nextLong(MOST_PAUSE_NANOS));
            }
            if (way.calls() == GpuWay.Calls.REPLAYED) {
                GpuGraph graph = graph(i);
                graph.launch();
                queue(
                        plan,
                        iteration,
                        tokens,
                        way,
                        shift,
                        GpuWay.tokensOfGraph(1).size());
                graph.launch();
            } else {
                queue(plan, iteration, tokens, way, shift, 0);
            }
            plan.check();
            Tally tally = tally(check.difference(), iteration);
            if (!tally.right()) {
                found.set(i, download((tokens.size() - 1) % tensors.sets(), shift));
            }
            tallies.set(i, tallies.get(i).plus(tally));
            if (judged) {
                tallies.set(i, tallies.get(i).plus(onHost(plan, iteration)));
            }
        }
        return (way.calls() == GpuWay.Calls.REPLAYED ? CALLS_OF_REPLAYS : tokens.size()) + (judged ? 1 : 0);
    }

    /** Queues the making of all inputs, and the specification on them. */
    private void prepare(long iteration, int shift) {
        List<DeviceSpan> inputs = tensors.inputs(shift);
        for (int rank = 0; rank < inputs.size(); rank++) {
            check.make(inputs.get(rank), specification.input(iteration, rank).key(), shape.tokens());
        }
        check.make(tensors.residual(shift), specification.residual(iteration).key(), shape.tokens());
        check.make(tensors.weight(shift), specification.weight(iteration).key(), 1);
        check.reference(
                shape.tokens(),
                inputs,
                Tensors.lent()
                        .withResidual(tensors.residual(shift))
                        .withWeight(tensors.weight(shift))
                        .withReduced(tensors.wanted(0))
                        .withResidualOut(tensors.wanted(1))
                        .withOut(tensors.wanted(2)));
    }

    /** Queues calls in a row, as many as there is room for their outputs, then the comparison of each. */
    private void queue(GpuPlan plan, long iteration, List<Integer> tokens, GpuWay way, int shift, int firstCall) {
        for (int from = 0; from < tokens.size(); from += tensors.sets()) {
            List<Integer> part = tokens.subList(from, Math.min(tokens.size(), from + tensors.sets()));
            for (int set = 0; set < part.size(); set++) {
                check.fill(tensors.set(set), NOT_WRITTEN);
                if (way.inPlace()) {
                    check.make(
                            tensors.found(set, 2, shift),
                            specification.input(iteration, communicator.rank()).key(),
                            part.get(set));
                    check.make(
                            tensors.found(set, 1, shift),
                            specification.residual(iteration).key(),
                            part.get(set));
                }
            }
            for (int set = 0; set < part.size(); set++) {
                plan.run(part.get(set), tensors.call(set, way, shift));
            }
            for (int set = 0; set < part.size(); set++) {
                for (int tensor = way.reduced() ? 0 : 1; tensor < OUTPUT_NAMES.size(); tensor++) {
                    check.compare(
                            tensors.found(set, tensor, shift),
                            tensors.wanted(tensor),
                            part.get(set),
                            firstCall + from + set,
                            tensor);
                }
            }
        }
    }

    /** The graph of a plan, with the comparisons of its calls; captured when it is first wanted. */
    private GpuGraph graph(int i) {
        GpuGraph graph = graphs.get(i);
        if (graph == null) {
            GpuWay way = GpuWay.of(0);
            graph = plans.get(i).capture(() -> queue(plans.get(i), 0, GpuWay.tokensOfGraph(shape.tokens()), way, 0, 0));
            graphs.set(i, graph);
        }
        return graph;
    }

    private Tally tally(Difference difference, long iteration) {
        Difference.Element first = difference.first();
        return new Tally(
                difference.wrongBits(),
                difference.wrongElements(),
                difference.maxAbsErr(),
                first == null
                        ? null
                        : new FirstBad(
                                communicator.rank(),
                                iteration,
                                OUTPUT_NAMES.get(first.tensor()),
                                (int) (first.index() / shape.hidden()),
                                (int) (first.index() % shape.hidden()),
                                first.expected(),
                                first.found(),
                                first.call()));
    }

    /** Lets the host's specification judge the device's, and makes the tensors that calls on the host take. */
    private Tally judge(long iteration, java.util.function.DoubleConsumer progress) {
        check.difference();
        Outputs wanted = hostTensors().wanted();
        communicator.download(tensors.wanted(1), wanted.residualOut());
        communicator.download(tensors.wanted(2), wanted.out());
        MemorySegment reduced = wanted.reduced();
        if (reduced != null) {
            communicator.download(tensors.wanted(0), reduced);
        }
        HostTensors on = hostTensors();
        specification.fill(iteration, on.input(), on.residual(), on.weight());
        return judgeOfTheDevice.judge(iteration, List.of(wanted), progress).getFirst();
    }

    /** A call with tensors of the host, compared with the device's specification, which has been judged. */
    private Tally onHost(GpuPlan plan, long iteration) {
        HostTensors on = hostTensors();
        on.found().residualOut().fill(NOT_WRITTEN);
        on.found().out().fill(NOT_WRITTEN);
        plan.run(
                shape.tokens(),
                Tensors.of(on.input())
                        .withResidual(on.residual())
                        .withWeight(on.weight())
                        .withResidualOut(on.found().residualOut())
                        .withOut(on.found().out()));
        return specification.compare(iteration, on.found(), on.wanted());
    }

    private HostTensors hostTensors() {
        HostTensors tensorsOfHost = host;
        if (tensorsOfHost == null) {
            tensorsOfHost = new HostTensors(
                    tensor(),
                    tensor(),
                    arena.allocate(operation.rowBytes(), 64),
                    new Outputs(tensor(), tensor(), tensor()),
                    new Outputs(tensor(), tensor(), null));
            host = tensorsOfHost;
        }
        return tensorsOfHost;
    }

    private MemorySegment tensor() {
        return arena.allocate(shape.bytes(subject.dtype()), 64);
    }

    private Outputs download(int set, int shift) {
        Outputs outputs = new Outputs(tensor(), tensor(), null);
        communicator.download(tensors.found(set, 1, shift), outputs.residualOut());
        communicator.download(tensors.found(set, 2, shift), outputs.out());
        return outputs;
    }

    /** Of an exchange that was right, the file has what is right. */
    @Override
    public void save(long iteration, Path path) {
        List<Outputs> all = new ArrayList<>();
        for (Outputs outputs : found) {
            if (outputs == null) {
                Outputs right = new Outputs(tensor(), tensor(), null);
                communicator.download(tensors.wanted(1), right.residualOut());
                communicator.download(tensors.wanted(2), right.out());
                all.add(right);
            } else {
                all.add(outputs);
            }
        }
        specification.save(iteration, all, path);
    }

    @Override
    public void close() {
        // A plan tells here of a failure that nobody has seen yet; the rest is given back all the same.
        try {
            plans.forEach(GpuPlan::close);
        } finally {
            tensors.close();
            check.close();
            arena.close();
        }
    }
}
