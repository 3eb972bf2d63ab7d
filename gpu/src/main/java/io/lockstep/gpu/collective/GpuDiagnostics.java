package io.lockstep.gpu.collective;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Communicator;
import io.lockstep.core.Operation;
import io.lockstep.core.UsageException;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.gpu.DeviceStream;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.driver.Collectives;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelSource;
import io.lockstep.gpu.kernel.ProtocolText;
import java.util.EnumSet;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a tool that checks or measures ranks on GPUs needs beside the API. */
public final class GpuDiagnostics {
    private GpuDiagnostics() {}

    /** Plans an operation whose calls are exchanged in one way only. Collective. */
    public static GpuPlan plan(Communicator communicator, Operation operation, Exchange exchange) {
        return plan(communicator, operation, exchange, KernelSource.text(), null);
    }

    /** As {@link #plan(Communicator, Operation, Exchange)}, with calls on this stream. */
    public static GpuPlan plan(Communicator communicator, Operation operation, Exchange exchange, DeviceStream stream) {
        return plan(communicator, operation, exchange, KernelSource.text(), stream);
    }

    /**
     * Plans an operation whose calls are exchanged with the barriers of this protocol, right or wrong, and are on this
     * stream. Collective.
     *
     * @throws UsageException if the kernels have no such exchange
     */
    public static GpuPlan plan(Communicator communicator, Operation operation, Protocol protocol, DeviceStream stream) {
        return plan(
                communicator,
                operation,
                ProtocolText.exchange(protocol),
                KernelSource.text(ProtocolText.render(protocol)),
                stream);
    }

    private static GpuPlan plan(
            Communicator communicator,
            Operation operation,
            Exchange exchange,
            String source,
            @Nullable DeviceStream stream) {
        // One-shot has room for all tokens where nothing else may be used.
        Operation fixed = operation.withAlgorithm(exchange.twoShot() ? Algorithm.TWO_SHOT : Algorithm.ONE_SHOT);
        return device(communicator).plan(fixed, EnumSet.of(exchange), source, given(stream));
    }

    private static @Nullable Stream given(@Nullable DeviceStream stream) {
        return stream == null ? null : new Stream(stream.device(), stream.handle());
    }

    /** What checks calls of an operation on this rank's device. Not collective. */
    public static DeviceCheck check(Communicator communicator, Operation operation) {
        return new DeviceCheck(device(communicator), operation);
    }

    /**
     * Plans the same operation as the vendor's all-reduce and a kernel for what follows the sum, on this stream. Its
     * bits are not those of the contract. Collective.
     *
     * @throws io.lockstep.core.DriverException if the vendor's library was not found
     */
    public static GpuPlan library(Communicator communicator, Operation operation, DeviceStream stream) {
        return device(communicator)
                .plan(
                        operation.withAlgorithm(Algorithm.TWO_SHOT),
                        EnumSet.noneOf(Exchange.class),
                        KernelSource.text(),
                        given(stream));
    }

    /**
     * Plans the same operation as a plain all-reduce, an add and a norm, each with a launch of its own, all on this
     * stream. Collective.
     */
    public static GpuPlan unfused(Communicator communicator, Operation operation, DeviceStream stream) {
        return new UnfusedPlan(device(communicator), operation, stream);
    }

    /** What the vendor's library is, if it was found. */
    public static Optional<String> library(Communicator communicator) {
        return device(communicator).driver().collectives().map(Collectives::identity);
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
