package io.lockstep.gpu.collective;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Communicator;
import io.lockstep.core.Operation;
import io.lockstep.core.UsageException;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelSource;
import io.lockstep.gpu.kernel.ProtocolText;
import java.util.EnumSet;

/** What a tool that checks or measures ranks on GPUs needs beside the API. */
public final class GpuDiagnostics {
    private GpuDiagnostics() {}

    /** Plans an operation whose calls are exchanged in one way only. Collective. */
    public static GpuPlan plan(Communicator communicator, Operation operation, Exchange exchange) {
        return plan(communicator, operation, exchange, KernelSource.text());
    }

    /**
     * Plans an operation whose calls are exchanged with the barriers of this protocol, right or wrong. Collective.
     *
     * @throws UsageException if the kernels have no such exchange
     */
    public static GpuPlan plan(Communicator communicator, Operation operation, Protocol protocol) {
        return plan(
                communicator,
                operation,
                ProtocolText.exchange(protocol),
                KernelSource.text(ProtocolText.render(protocol)));
    }

    private static GpuPlan plan(Communicator communicator, Operation operation, Exchange exchange, String source) {
        // One-shot has room for all tokens where nothing else may be used.
        Operation fixed = operation.withAlgorithm(exchange.twoShot() ? Algorithm.TWO_SHOT : Algorithm.ONE_SHOT);
        return device(communicator).plan(fixed, EnumSet.of(exchange), source, null);
    }

    /**
     * Plans the same operation as the vendor's all-reduce and a kernel for what follows the sum. Its bits are not those
     * of the contract. Collective.
     *
     * @throws io.lockstep.core.DriverException if the vendor's library was not found
     */
    public static GpuPlan library(Communicator communicator, Operation operation) {
        return device(communicator)
                .plan(
                        operation.withAlgorithm(Algorithm.TWO_SHOT),
                        EnumSet.noneOf(Exchange.class),
                        KernelSource.text(),
                        null);
    }

    /** What the vendor's library is, or why there is none. */
    public static String library(Communicator communicator) {
        return device(communicator)
                .driver()
                .collectives()
                .map(library -> library.identity())
                .orElse("not found");
    }

    /** A timer for the calls of a plan. */
    public static GpuTimer timer(Communicator communicator, GpuPlan plan) {
        return new GpuTimer(device(communicator).driver(), plan);
    }

    private static DeviceCommunicator device(Communicator communicator) {
        if (communicator instanceof DeviceCommunicator device) {
            return device;
        }
        throw new UsageException("This works on ranks on GPUs alone.");
    }
}
