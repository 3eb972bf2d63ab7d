package io.lockstep.cli.bench;

import io.lockstep.cli.ranks.Pulse;
import io.lockstep.cli.ranks.Role;
import io.lockstep.cli.ranks.Worker;
import io.lockstep.core.Algorithm;
import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.cpu.CpuDiagnostics;
import io.lockstep.gpu.GpuCommunicator;
import java.lang.foreign.Arena;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The rank's side of {@code bench}. */
public final class BenchWorker implements Worker<BenchOrder, BenchReport> {
    /** What the parent starts. */
    public static final Role<BenchOrder, BenchReport> ROLE =
            new Role<>("bench", BenchOrder.class, BenchReport.class, BenchWorker::of);

    private final Communicator communicator;
    private final Arena arena = Arena.ofShared();
    private final Plan barrier;
    private final Tensors barrierTensors;
    private @Nullable Course course;

    private static Worker<BenchOrder, BenchReport> of(Communicator communicator) {
        return communicator instanceof GpuCommunicator gpu ? new GpuBenchWorker(gpu) : new BenchWorker(communicator);
    }

    private BenchWorker(Communicator communicator) {
        this.communicator = communicator;
        // The smallest call there is: all ranks leave it within a flag's way of each other.
        this.barrier = communicator.plan(Operation.allReduce(DType.FP32, 1, 1).withAlgorithm(Algorithm.ONE_SHOT));
        this.barrierTensors = Tensors.of(arena.allocate(64, 64)).withReduced(arena.allocate(64, 64));
    }

    @Override
    public BenchReport handle(BenchOrder order, Pulse pulse) {
        return switch (order.kind()) {
            case PLAN -> {
                BenchOrder.Subject subject = Objects.requireNonNull(order.subject());
                if (subject.bind()) {
                    CpuDiagnostics.bind(communicator);
                }
                course = new Course(communicator, subject);
                yield BenchReport.planned(
                        course.algorithms(),
                        subject.variants().stream().map(variant -> "").toList());
            }
            case RUN -> BenchReport.measured(run(order.variant(), order.iterations(), pulse), 0);
            case PING -> BenchReport.roundTrip(CpuDiagnostics.roundTripNanos(communicator));
            case RELEASE -> {
                release();
                yield BenchReport.nothing();
            }
        };
    }

    private long[] run(int variant, int iterations, Pulse pulse) {
        Course running = Objects.requireNonNull(course, "The first order plans.");
        long[] nanos = new long[iterations];
        for (int i = 0; i < iterations; i++) {
            running.refresh(variant);
            barrier.run(1, barrierTensors);
            long begin = System.nanoTime();
            running.run(variant);
            nanos[i] = System.nanoTime() - begin;
            pulse.beat((double) i / iterations);
        }
        return nanos;
    }

    private void release() {
        if (course != null) {
            course.close();
            course = null;
        }
    }

    @Override
    public void close() {
        release();
        barrier.close();
        arena.close();
    }
}
