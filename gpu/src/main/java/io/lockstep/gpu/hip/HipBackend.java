package io.lockstep.gpu.hip;

import io.lockstep.core.Backend;
import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.collective.DeviceRanks;
import java.util.List;

/** Ranks on AMD GPUs. */
public final class HipBackend implements Backend {
    @Override
    public String name() {
        return "hip";
    }

    @Override
    public Readiness probe() {
        return new HipDriver().probe();
    }

    @Override
    public Communicator join(GroupSpec spec) {
        return DeviceRanks.join(spec, new HipDriver());
    }

    @Override
    public List<Communicator> threads(GroupSpec spec) {
        return DeviceRanks.threads(spec, new HipDriver());
    }
}
