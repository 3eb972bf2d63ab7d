package io.lockstep.cli.bench;

import io.lockstep.cli.ranks.Pulse;
import io.lockstep.cli.ranks.Worker;
import io.lockstep.gpu.GpuCommunicator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The side of a rank on a GPU. */
final class GpuBenchWorker implements Worker<BenchOrder, BenchReport> {
    private final GpuCommunicator communicator;
    private @Nullable GpuCourse course;

    GpuBenchWorker(GpuCommunicator communicator) {
        this.communicator = communicator;
    }

    @Override
    public BenchReport handle(BenchOrder order, Pulse pulse) {
        return switch (order.kind()) {
            case PLAN -> {
                GpuCourse planned = new GpuCourse(communicator, Objects.requireNonNull(order.subject()));
                course = planned;
                yield BenchReport.planned(planned.algorithms(), planned.absent());
            }
            case RUN -> {
                GpuCourse running = Objects.requireNonNull(course, "The first order plans.");
                yield order.setting() == Placement.GRAPH
                        ? running.inGraphs(order.variant(), order.iterations(), pulse)
                        : running.eager(order.variant(), order.iterations());
            }
            case PING -> throw new IllegalArgumentException("No flag goes to and fro between GPUs.");
            case RELEASE -> {
                close();
                yield BenchReport.nothing();
            }
        };
    }

    @Override
    public void close() {
        if (course != null) {
            course.close();
            course = null;
        }
    }
}
