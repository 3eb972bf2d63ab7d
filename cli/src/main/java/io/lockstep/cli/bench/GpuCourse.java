package io.lockstep.cli.bench;

import io.lockstep.cli.gpu.GpuPlans;
import io.lockstep.cli.inputs.RandomTensor;
import io.lockstep.cli.inputs.Shape;
import io.lockstep.cli.ranks.Pulse;
import io.lockstep.core.DType;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.gpu.GpuCommunicator;
import io.lockstep.gpu.GpuGraph;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.collective.DeviceCheck;
import io.lockstep.gpu.collective.GpuDiagnostics;
import io.lockstep.gpu.collective.GpuTimer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One rank's plans and memory for one shape, on a GPU. All variants have their calls on one stream and read the same
 * tensors.
 *
 * <p>Before a measurement the device pauses until the host has queued all of it, then all ranks meet in a small call:
 * so they begin within a call's length of each other, and the host's pace is not measured.
 */
final class GpuCourse implements AutoCloseable {
    /** In one graph, so that the way from the host is shared among them. */
    static final int CALLS_OF_GRAPH = 50;

    /** More would fill the queue of the device, and the host would wait for it. */
    private static final int MOST_QUEUED = 300;

    private static final long HEAD_START_NANOS = 200_000;
    private static final double NANOS_PER_MICRO = 1000;
    private static final int TENSORS = 5;

    /** Any numbers will do: they only have to be ordinary ones. */
    private static final long SEED = 1;

    private static final int MEETING_HIDDEN = 8;

    private final GpuCommunicator communicator;
    private final BenchOrder.Subject subject;
    private final DeviceCheck check;
    private final List<DeviceSpan> memory = new ArrayList<>();
    private final List<@Nullable GpuPlan> plans = new ArrayList<>();
    private final List<@Nullable GpuGraph> graphs = new ArrayList<>();
    private final List<String> absent = new ArrayList<>();
    private final List<GpuTimer> timers = new ArrayList<>();
    private final GpuPlan meeting;
    private final Tensors meetingTensors;
    private final Tensors tensors;

    GpuCourse(GpuCommunicator communicator, BenchOrder.Subject subject) {
        this.communicator = communicator;
        this.subject = subject;
        Shape shape = new Shape(subject.tokens(), subject.hidden());
        DType dtype = subject.dtype();
        Operation operation = Operation.allReduceResidualRmsNorm(dtype, subject.hidden(), subject.tokens());
        check = GpuDiagnostics.check(communicator, operation);
        for (int i = 0; i < TENSORS; i++) {
            memory.add(communicator.allocate(shape.bytes(dtype)));
        }
        check.make(
                memory.get(0),
                RandomTensor.input(dtype, SEED, 0, communicator.rank()).key(),
                shape.tokens());
        check.make(memory.get(1), RandomTensor.residual(dtype, SEED, 0).key(), shape.tokens());
        check.make(memory.get(2), RandomTensor.weight(dtype, SEED, 0).key(), 1);
        tensors = Tensors.of(memory.get(0))
                .withResidual(memory.get(1))
                .withWeight(memory.get(2))
                .withResidualOut(memory.get(3))
                .withOut(memory.get(4));
        Operation small = Operation.allReduce(DType.FP32, MEETING_HIDDEN, 1);
        meeting = GpuPlans.plan(communicator, small, "one-shot-push", check.stream());
        DeviceSpan words = communicator.allocate(2 * small.rowBytes());
        memory.add(words);
        meetingTensors = Tensors.of(words.slice(0, small.rowBytes()))
                .withReduced(words.slice(small.rowBytes(), small.rowBytes()));
        for (Variant variant : subject.variants()) {
            String why = whyNot(variant);
            absent.add(why);
            plans.add(why.isEmpty() ? plan(operation, variant) : null);
            graphs.add(null);
        }
    }

    private String whyNot(Variant variant) {
        boolean lacking = variant.kind() == Variant.Kind.GPU_LIBRARY
                && GpuDiagnostics.library(communicator).isEmpty();
        return lacking
                ? "The vendor's library of collectives was not found: 'lockstep doctor' says where it is looked for."
                : "";
    }

    private GpuPlan plan(Operation operation, Variant variant) {
        return switch (variant.kind()) {
            case GPU_LIBRARY -> GpuDiagnostics.library(communicator, operation, check.stream());
            case GPU_UNFUSED -> GpuDiagnostics.unfused(communicator, operation, check.stream());
            default -> GpuPlans.plan(communicator, operation, variant.name(), check.stream());
        };
    }

    /** What each variant takes for this shape, where there is a choice. */
    List<String> algorithms() {
        List<String> algorithms = new ArrayList<>();
        for (int i = 0; i < plans.size(); i++) {
            GpuPlan plan = plans.get(i);
            boolean chosen = subject.variants().get(i).name().equals("auto");
            algorithms.add(
                    plan == null || !chosen
                            ? "-"
                            : plan.algorithm(subject.tokens()).label());
        }
        return algorithms;
    }

    /** Why a variant cannot be measured here; empty where it can. */
    List<String> absent() {
        return List.copyOf(absent);
    }

    /** Replays of a graph: the time of a call in each. */
    BenchReport inGraphs(int variant, int replays, Pulse pulse) {
        GpuPlan plan = plan(variant);
        GpuGraph graph = graph(variant);
        GpuTimer timer = timers(1).getFirst();
        long[] nanos = new long[replays];
        for (int i = 0; i < replays; i++) {
            meet();
            timer.start();
            graph.launch();
            timer.stop();
            plan.check();
            nanos[i] = Math.max(1, Math.round(timer.microseconds() * NANOS_PER_MICRO / CALLS_OF_GRAPH));
            pulse.beat((double) i / replays);
        }
        return BenchReport.measured(nanos, 0);
    }

    private GpuGraph graph(int variant) {
        GpuGraph graph = graphs.get(variant);
        if (graph == null) {
            GpuPlan plan = plan(variant);
            // A library may allocate in its first call, which no graph allows.
            plan.run(subject.tokens(), tensors);
            plan.check();
            graph = plan.capture(() -> {
                for (int call = 0; call < CALLS_OF_GRAPH; call++) {
                    plan.run(subject.tokens(), tensors);
                }
            });
            graphs.set(variant, graph);
        }
        return graph;
    }

    /** Calls one by one: the device's time of each, between two events, and the host's time to queue one without. */
    BenchReport eager(int variant, int calls) {
        GpuPlan plan = plan(variant);
        List<GpuTimer> pairs = timers(calls);
        meet();
        for (int i = 0; i < calls; i++) {
            pairs.get(i).start();
            plan.run(subject.tokens(), tensors);
            pairs.get(i).stop();
        }
        plan.check();
        long[] nanos = new long[calls];
        for (int i = 0; i < calls; i++) {
            nanos[i] = Math.max(1, Math.round(pairs.get(i).microseconds() * NANOS_PER_MICRO));
        }
        int queued = Math.min(calls, MOST_QUEUED);
        long began = System.nanoTime();
        for (int i = 0; i < queued; i++) {
            plan.run(subject.tokens(), tensors);
        }
        double host = (double) (System.nanoTime() - began) / queued;
        plan.check();
        return BenchReport.measured(nanos, host);
    }

    private void meet() {
        check.pause(HEAD_START_NANOS);
        meeting.run(1, meetingTensors);
    }

    private GpuPlan plan(int variant) {
        return Objects.requireNonNull(plans.get(variant));
    }

    private List<GpuTimer> timers(int count) {
        while (timers.size() < count) {
            timers.add(GpuDiagnostics.timer(communicator, meeting));
        }
        return timers.subList(0, count);
    }

    @Override
    public void close() {
        // A plan tells here of a failure that nobody has seen yet; the rest is given back all the same.
        try {
            for (GpuPlan plan : plans) {
                if (plan != null) {
                    plan.close();
                }
            }
            meeting.close();
        } finally {
            timers.forEach(GpuTimer::close);
            memory.forEach(communicator::free);
            check.close();
        }
    }
}
