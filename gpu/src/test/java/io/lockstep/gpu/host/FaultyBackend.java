package io.lockstep.gpu.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.Backend;
import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Readiness;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.collective.DeviceRanks;
import io.lockstep.gpu.driver.DeviceBackend;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.PeerMemory;
import java.util.List;
import java.util.function.UnaryOperator;

/** Ranks on {@link HostDriver} with kernels that have a fault: what checks them must see it. */
public abstract class FaultyBackend implements Backend {
    private static final String OF_THE_CHECK = "ls_make_rows";

    private final String name;
    private final UnaryOperator<String> change;

    private FaultyBackend(String name, boolean check, String text, String other) {
        this.name = name;
        change = source -> source.contains(OF_THE_CHECK) == check ? changed(source, text, other) : source;
    }

    private static String changed(String source, String text, String other) {
        assertThat(source).contains(text);
        return source.replace(text, other);
    }

    /** A row goes to the place of the one before it, in every exchange. */
    public static final class MisplacesARow extends FaultyBackend {
        public MisplacesARow() {
            super(
                    "host-that-misplaces-a-row",
                    false,
                    "ls_store<WHOLE>(a.out, row,",
                    "ls_store<WHOLE>(a.out, row == 2 ? 1 : row,");
        }
    }

    /** The specification on the device is another one. */
    public static final class SubtractsInTheSpecification extends FaultyBackend {
        public SubtractsInTheSpecification() {
            super("host-with-another-specification", true, ": sum[i] + next[i];", ": sum[i] - next[i];");
        }
    }

    /** Devices that are said to reach each other's memory, and do not. */
    public static final class BlindPeers implements DeviceBackend {
        @Override
        public String name() {
            return "host-with-blind-peers";
        }

        @Override
        public Driver driver() {
            return new HostDriver() {
                @Override
                public PeerMemory openPeerMemory(int device, PeerMemory peer) {
                    return allocatePeerMemory(device, peer.bytes(), false);
                }
            };
        }

        @Override
        public Readiness probe() {
            return driver().probe();
        }

        @Override
        public Communicator join(GroupSpec spec) {
            throw new UsageException("These devices are for the doctor.");
        }

        @Override
        public List<Communicator> threads(GroupSpec spec) {
            throw new UsageException("These devices are for the doctor.");
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Readiness probe() {
        return new HostDriver(change).probe();
    }

    @Override
    public Communicator join(GroupSpec spec) {
        throw new UsageException("These devices are of one process.");
    }

    @Override
    public List<Communicator> threads(GroupSpec spec) {
        return DeviceRanks.threads(spec, new HostDriver(change));
    }
}
