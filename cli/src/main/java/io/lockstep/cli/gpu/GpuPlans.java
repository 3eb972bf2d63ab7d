package io.lockstep.cli.gpu;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.core.Algorithm;
import io.lockstep.core.Operation;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.gpu.DeviceStream;
import io.lockstep.gpu.GpuCommunicator;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.collective.GpuDiagnostics;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.ProtocolText;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Plans on GPUs by the name of an exchange, an algorithm or a protocol. */
public final class GpuPlans {
    private GpuPlans() {}

    /** Every exchange, and the choice between them. */
    public static List<String> labels() {
        return Stream.concat(exchanges().stream(), Stream.of(Algorithm.AUTO.label()))
                .toList();
    }

    /** Every exchange. */
    public static List<String> exchanges() {
        return Arrays.stream(Exchange.values()).map(Exchange::label).toList();
    }

    /**
     * A protocol of devices, right or wrong.
     *
     * @throws CommandFailure if there is none of this name
     */
    public static Protocol protocol(String name) {
        List<Protocol> known =
                Protocols.all().stream().filter(protocol -> !protocol.isCpu()).toList();
        return known.stream()
                .filter(candidate -> candidate.name().equals(name))
                .findFirst()
                .orElseThrow(() -> CommandFailure.usage("--protocol is '" + name + "': expected "
                        + known.stream().map(Protocol::name).collect(Collectors.joining(", ")) + "."));
    }

    /**
     * The name of a protocol that the kernels can run.
     *
     * @throws CommandFailure if there is none of this name
     * @throws io.lockstep.core.UsageException if the kernels have no exchange with its accesses
     */
    public static String requireProtocol(String name) {
        ProtocolText.exchange(protocol(name));
        return name;
    }

    /** The exchange that runs the protocol of this name, if it is one that is wrong. */
    public static Optional<Exchange> exchangeOfWrong(String name) {
        return Protocols.historical().stream()
                .filter(protocol -> protocol.name().equals(name))
                .findFirst()
                .map(ProtocolText::exchange);
    }

    /** A plan whose calls are on this stream. Collective. */
    public static GpuPlan plan(GpuCommunicator communicator, Operation operation, String label, DeviceStream stream) {
        for (Exchange exchange : Exchange.values()) {
            if (exchange.label().equals(label)) {
                return GpuDiagnostics.plan(communicator, operation, exchange, stream);
            }
        }
        Optional<Protocol> protocol = Protocols.named(label);
        return protocol.isPresent()
                ? GpuDiagnostics.plan(communicator, operation, protocol.get(), stream)
                : communicator.plan(operation.withAlgorithm(Algorithm.of(label)), stream);
    }
}
