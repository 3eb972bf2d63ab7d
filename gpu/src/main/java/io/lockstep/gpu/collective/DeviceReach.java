package io.lockstep.gpu.collective;

import io.lockstep.core.DriverException;
import io.lockstep.core.planning.Agreement;
import io.lockstep.gpu.driver.DeviceInfo;
import io.lockstep.gpu.driver.Driver;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether the devices of all ranks reach one another's memory, which every exchange needs, and what there is where they
 * do not: the vendor's library, if all ranks have it.
 *
 * @param obstacle which device cannot reach which, in a clause; empty where all can
 * @param library what the vendor's library is; empty where a rank lacks it
 */
record DeviceReach(String obstacle, String library) {
    private static final String SEPARATOR = "\n";

    /** Collective. The same on every rank. */
    static DeviceReach agree(Driver driver, DeviceInfo device, int rank, Agreement agreement) {
        List<String> ids = agreement.gather("the devices of the ranks", device.id());
        String mine = obstacle(driver, device, rank, ids);
        String library =
                driver.collectives().map(found -> found.identity()).orElse("").replace(SEPARATOR, " ");
        String obstacle = "";
        boolean everywhere = true;
        for (String answer : agreement.gather("the reach of the devices", mine + SEPARATOR + library)) {
            String[] parts = answer.split(SEPARATOR, -1);
            obstacle = obstacle.isEmpty() ? parts[0] : obstacle;
            everywhere &= !parts[1].isEmpty();
        }
        return new DeviceReach(obstacle, everywhere ? library : "");
    }

    private static String obstacle(Driver driver, DeviceInfo device, int rank, List<String> ids) {
        List<DeviceInfo> visible = driver.devices();
        List<String> unreached = new ArrayList<>();
        for (int peer = 0; peer < ids.size(); peer++) {
            String id = ids.get(peer);
            // What this process does not see cannot be asked about: importing its memory will tell.
            for (DeviceInfo other : visible) {
                if (other.id().equals(id) && !driver.canReach(device.number(), other.number())) {
                    unreached.add("rank " + peer);
                }
            }
        }
        return unreached.isEmpty()
                ? ""
                : "the device of rank " + rank + " (" + device.name() + ") cannot reach the memory of "
                        + String.join(", ", unreached);
    }

    /** Whether calls can be exchanged by kernels. */
    boolean everywhere() {
        return obstacle.isEmpty();
    }

    /** What a plan does instead, in a sentence, for the log. */
    String fallback() {
        return "The sums are made by " + library + ", since " + obstacle
                + ": its bits are not those of the contract, and it is slower.";
    }

    /** Refuses what neither the kernels nor the library can do. */
    void require() {
        if (!everywhere() && library.isEmpty()) {
            throw new DriverException("No plan can be made here: " + obstacle
                    + ", and not every rank has the vendor's library of collectives to fall back on. Install it (for"
                    + " NVIDIA the package libnccl2, or the Python package nvidia-nccl), name its file in"
                    + " LOCKSTEP_NCCL, use devices that reach one another (nvidia-smi topo -p2p rw shows them), or"
                    + " ranks on the CPU.");
        }
    }
}
