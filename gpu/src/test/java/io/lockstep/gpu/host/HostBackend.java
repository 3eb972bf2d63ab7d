package io.lockstep.gpu.host;

import io.lockstep.core.Backend;
import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Readiness;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.collective.DeviceRanks;
import java.util.List;

/** Ranks on {@link HostDriver}. */
public final class HostBackend implements Backend {
    @Override
    public String name() {
        return "host";
    }

    @Override
    public Readiness probe() {
        return new HostDriver().probe();
    }

    @Override
    public Communicator join(GroupSpec spec) {
        throw new UsageException("These devices are of one process.");
    }

    @Override
    public List<Communicator> threads(GroupSpec spec) {
        return DeviceRanks.threads(spec, new HostDriver());
    }
}
