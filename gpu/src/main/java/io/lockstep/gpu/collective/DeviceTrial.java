package io.lockstep.gpu.collective;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.planning.Crossover;
import io.lockstep.gpu.GpuGraph;
import io.lockstep.gpu.kernel.Exchange;
import java.util.Arrays;

/**
 * Times calls of a plan by the device's clock, one behind the other in a graph: neither the host's way to the device
 * nor the wait for a rank that comes late is in it.
 */
final class DeviceTrial implements Crossover.Trial {
    private static final int CALLS = 20;
    private static final int REPLAYS = 5;
    private static final int WARM_UP_CALLS = 50;

    /** Two or four of them are an ordinary number of every type. */
    private static final byte ORDINARY = 0x3D;

    private final DeviceCommunicator communicator;
    private final DevicePlan plan;
    private final DeviceSpan memory;
    private final Tensors tensors;

    DeviceTrial(DeviceCommunicator communicator, DevicePlan plan, int tokens) {
        this.communicator = communicator;
        this.plan = plan;
        Operation operation = plan.operation();
        long tensor = (tokens * operation.rowBytes() + 255) / 256 * 256;
        memory = communicator.allocate(5 * tensor);
        plan.fill(memory, ORDINARY);
        Tensors all = Tensors.of(memory.slice(0, tensor));
        if (operation.residual()) {
            all = all.withResidual(memory.slice(tensor, tensor)).withResidualOut(memory.slice(2 * tensor, tensor));
        }
        if (operation.norm()) {
            all = all.withWeight(memory.slice(3 * tensor, tensor)).withOut(memory.slice(4 * tensor, tensor));
        }
        tensors = operation.residual() || operation.norm() ? all : all.withReduced(memory.slice(tensor, tensor));
    }

    @Override
    public void warmUp() {
        for (int call = 0; call < WARM_UP_CALLS; call++) {
            plan.run(1, tensors, call % 2 == 0 ? Exchange.ONE_SHOT_PUSH : Exchange.TWO_SHOT_PUSH);
        }
        plan.check();
    }

    @Override
    public double time(int tokens, Algorithm algorithm) {
        Exchange exchange = algorithm == Algorithm.ONE_SHOT ? Exchange.ONE_SHOT_PUSH : Exchange.TWO_SHOT_PUSH;
        try (GpuTimer timer = new GpuTimer(communicator.driver(), plan);
                GpuGraph graph = plan.capture(() -> {
                    for (int call = 0; call < CALLS; call++) {
                        plan.run(tokens, tensors, exchange);
                    }
                })) {
            double[] micros = new double[REPLAYS];
            for (int replay = 0; replay < REPLAYS; replay++) {
                // The first graph brings the ranks together, and keeps the device busy until the second is queued.
                graph.launch();
                timer.start();
                graph.launch();
                timer.stop();
                plan.check();
                micros[replay] = timer.microseconds() / CALLS;
            }
            Arrays.sort(micros);
            return micros[REPLAYS / 2];
        }
    }

    @Override
    public void close() {
        communicator.free(memory);
    }
}
