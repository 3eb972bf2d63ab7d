package io.lockstep.gpu.collective;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Communicator;
import io.lockstep.core.Operation;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelSource;
import java.util.EnumSet;

/** What a tool that checks or measures ranks on GPUs needs beside the API. */
public final class GpuDiagnostics {
    private GpuDiagnostics() {}

    /** Plans an operation whose calls are exchanged in one way only. Collective. */
    public static GpuPlan plan(Communicator communicator, Operation operation, Exchange exchange) {
        if (communicator instanceof DeviceCommunicator device) {
            // One-shot has room for all tokens where nothing else may be used.
            Operation fixed = operation.withAlgorithm(exchange.twoShot() ? Algorithm.TWO_SHOT : Algorithm.ONE_SHOT);
            return device.plan(fixed, EnumSet.of(exchange), KernelSource.text(), null);
        }
        throw new UsageException("This works on ranks on GPUs alone.");
    }
}
