package io.lockstep.gpu.collective;

import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.GpuPlan;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/** The plans behind the all-reduce without a plan: whole rows, and one row of what is left. */
final class SumPlans {
    private static final int ROW = 4096;
    private static final int MOST_KEPT = 16;

    private final DeviceCommunicator communicator;
    private final Map<Operation, GpuPlan> kept = new LinkedHashMap<>();

    SumPlans(DeviceCommunicator communicator) {
        this.communicator = communicator;
    }

    void allReduce(MemorySegment inOut, DType dtype, int elements) {
        if (elements < 1 || inOut.byteSize() < (long) elements * dtype.bytes()) {
            throw new UsageException("allReduce of " + elements + " " + dtype + " in " + inOut.byteSize()
                    + " bytes: expected at least 1 element, and memory that holds them all.");
        }
        int rows = elements / ROW;
        int rest = elements % ROW;
        if (rows > 0) {
            run(Operation.allReduce(dtype, ROW, rows), rows, inOut);
        }
        if (rest > 0) {
            run(Operation.allReduce(dtype, rest, 1), 1, inOut.asSlice((long) rows * ROW * dtype.bytes()));
        }
    }

    private void run(Operation operation, int tokens, MemorySegment inOut) {
        GpuPlan plan = kept.get(operation);
        if (plan == null) {
            if (kept.size() == MOST_KEPT) {
                // The oldest one; the same on every rank, since every rank makes the same calls.
                GpuPlan oldest = kept.remove(kept.keySet().iterator().next());
                if (oldest != null) {
                    oldest.close();
                }
            }
            plan = communicator.plan(operation);
            kept.put(operation, plan);
        }
        plan.run(tokens, Tensors.of(inOut).withReduced(inOut));
    }
}
