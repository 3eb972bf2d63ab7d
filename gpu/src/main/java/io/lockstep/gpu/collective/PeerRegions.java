package io.lockstep.gpu.collective;

import io.lockstep.core.group.Membership;
import io.lockstep.core.planning.Agreement;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.PeerMemory;
import java.util.ArrayList;
import java.util.List;

/** How the memory of a plan comes to be reached by every rank: by threads of one JVM. */
final class PeerRegions {
    private final Driver driver;
    private final Membership membership;
    private final Agreement agreement;
    private final int device;
    private final boolean acrossProcesses;

    PeerRegions(Driver driver, Membership membership, Agreement agreement, int device, boolean acrossProcesses) {
        this.driver = driver;
        this.membership = membership;
        this.agreement = agreement;
        this.device = device;
        this.acrossProcesses = acrossProcesses;
    }

    /** This rank's memory, which the peers will reach. */
    PeerMemory allocate(long bytes) {
        return driver.allocatePeerMemory(device, bytes, acrossProcesses);
    }

    /** Every rank's memory by rank, as this rank's device reaches it. Collective. */
    List<PeerMemory> exchange(PeerMemory mine) {
        List<String> all = agreement.gather(
                "the places of a plan's memory", mine.home() + " " + mine.address() + " " + mine.bytes());
        List<PeerMemory> regions = new ArrayList<>();
        boolean done = false;
        try {
            for (int rank = 0; rank < all.size(); rank++) {
                if (rank == membership.rank()) {
                    regions.add(mine);
                } else {
                    String[] parts = all.get(rank).split(" ", -1);
                    int home = Integer.parseInt(parts[0]);
                    regions.add(driver.openPeerMemory(
                            device, new PeerMemory(home, home, Long.parseLong(parts[1]), Long.parseLong(parts[2]), 0)));
                }
            }
            done = true;
            return regions;
        } finally {
            if (!done) {
                regions.forEach(driver::close);
            }
        }
    }
}
