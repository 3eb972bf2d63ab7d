package io.lockstep.gpu.collective;

import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.group.LocalGroup;
import io.lockstep.core.group.Membership;
import io.lockstep.core.group.Rendezvous;
import io.lockstep.core.planning.LocalRanks;
import io.lockstep.gpu.driver.Driver;
import java.util.List;

/** Opens ranks on the devices of a driver: rank after rank on device after device, and from the first one again. */
public final class DeviceRanks {
    private DeviceRanks() {}

    /** One rank, in this process. */
    public static Communicator join(GroupSpec spec, Driver driver) {
        Membership membership = Rendezvous.join(spec);
        try {
            return open(spec, membership, driver);
        } catch (RuntimeException | Error e) {
            membership.close();
            throw e;
        }
    }

    /** All ranks, for threads of this process. */
    public static List<Communicator> threads(GroupSpec spec, Driver driver) {
        return LocalRanks.open(LocalGroup.create(spec.worldSize()), membership -> open(spec, membership, driver));
    }

    private static Communicator open(GroupSpec spec, Membership membership, Driver driver) {
        int device = membership.rank() % driver.devices().size();
        return new DeviceCommunicator(spec, membership, driver, device);
    }
}
