package io.lockstep.gpu.host;

import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Readiness;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.collective.DeviceRanks;
import io.lockstep.gpu.driver.DeviceBackend;
import io.lockstep.gpu.driver.Driver;
import java.util.List;

/** Ranks on {@link HostDriver}. */
public final class HostBackend implements DeviceBackend {
    @Override
    public String name() {
        return "host";
    }

    @Override
    public Driver driver() {
        return new HostDriver();
    }

    @Override
    public Readiness probe() {
        return driver().probe();
    }

    @Override
    public Communicator join(GroupSpec spec) {
        throw new UsageException("These devices are of one process.");
    }

    @Override
    public List<Communicator> threads(GroupSpec spec) {
        return DeviceRanks.threads(spec, driver());
    }
}
