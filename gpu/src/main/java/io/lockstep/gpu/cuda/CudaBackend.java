package io.lockstep.gpu.cuda;

import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.collective.DeviceRanks;
import io.lockstep.gpu.driver.DeviceBackend;
import io.lockstep.gpu.driver.Driver;
import java.util.List;

/** Ranks on NVIDIA GPUs. */
public final class CudaBackend implements DeviceBackend {
    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public Driver driver() {
        return new CudaDriver();
    }

    @Override
    public Readiness probe() {
        return driver().probe();
    }

    @Override
    public Communicator join(GroupSpec spec) {
        return DeviceRanks.join(spec, driver());
    }

    @Override
    public List<Communicator> threads(GroupSpec spec) {
        return DeviceRanks.threads(spec, driver());
    }
}
