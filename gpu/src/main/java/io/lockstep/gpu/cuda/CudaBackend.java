package io.lockstep.gpu.cuda;

import io.lockstep.core.Backend;
import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.collective.DeviceRanks;
import java.util.List;

/** Ranks on NVIDIA GPUs. */
public final class CudaBackend implements Backend {
    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public Readiness probe() {
        return new CudaDriver().probe();
    }

    @Override
    public Communicator join(GroupSpec spec) {
        return DeviceRanks.join(spec, new CudaDriver());
    }

    @Override
    public List<Communicator> threads(GroupSpec spec) {
        return DeviceRanks.threads(spec, new CudaDriver());
    }
}
