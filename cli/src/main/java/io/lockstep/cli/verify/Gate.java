package io.lockstep.cli.verify;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import java.lang.foreign.Arena;

/**
 * Lets the ranks into a call together. A planted fault shows while ranks are in the same call; ranks that come one
 * after the other, as they do where there are fewer cores, would hide it.
 */
final class Gate implements AutoCloseable {
    private static final long BYTES = 64;

    private final Plan plan;
    private final Tensors tensors;

    Gate(Communicator communicator, Arena arena) {
        plan = communicator.plan(Operation.allReduce(DType.FP32, 1, 1).withAlgorithm(Algorithm.ONE_SHOT));
        tensors = Tensors.of(arena.allocate(BYTES, BYTES)).withReduced(arena.allocate(BYTES, BYTES));
    }

    /** Returns when all ranks have come. */
    void await() {
        plan.run(1, tensors);
    }

    @Override
    public void close() {
        plan.close();
    }
}
