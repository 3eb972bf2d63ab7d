package io.lockstep.gpu.collective;

import io.lockstep.core.group.DescriptorSharing;
import io.lockstep.core.group.Membership;
import io.lockstep.core.planning.Agreement;
import io.lockstep.core.posix.Descriptor;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.PeerMemory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How the memory of a plan comes to be reached by every rank. Threads of one JVM tell one another its address, which is
 * the same for all of them; processes hand over descriptors, and each maps the memory for itself.
 */
final class PeerRegions {
    private final Driver driver;
    private final Membership membership;
    private final Agreement agreement;
    private final Duration timeout;
    private final int device;

    PeerRegions(Driver driver, Membership membership, Agreement agreement, Duration timeout, int device) {
        this.driver = driver;
        this.membership = membership;
        this.agreement = agreement;
        this.timeout = timeout;
        this.device = device;
    }

    /**
     * This rank's memory, which the peers will reach.
     *
     * @param memory as this rank's device maps it
     * @param descriptor what other processes get; null where there are none
     */
    record Own(PeerMemory memory, @Nullable Descriptor descriptor) {}

    Own allocate(long bytes) {
        if (!(membership instanceof DescriptorSharing)) {
            return new Own(driver.allocatePeerMemory(device, bytes, false), null);
        }
        PeerMemory memory = driver.allocatePeerMemory(device, bytes, true);
        try {
            return new Own(memory, new Descriptor(driver.exportPeerMemory(memory)));
        } catch (RuntimeException e) {
            driver.close(memory);
            throw e;
        }
    }

    /** Every rank's memory by rank, as this rank's device reaches it. Collective. */
    List<PeerMemory> exchange(Own mine) {
        PeerMemory memory = mine.memory();
        List<PeerMemory> places = agreement
                .gather("the places of a plan's memory", memory.home() + " " + memory.address() + " " + memory.bytes())
                .stream()
                .map(PeerRegions::place)
                .toList();
        Map<Integer, Descriptor> descriptors =
                mine.descriptor() != null && membership instanceof DescriptorSharing sharing
                        ? sharing.allGatherDescriptors("a plan's memory", mine.descriptor(), timeout)
                        : Map.of();
        List<PeerMemory> regions = new ArrayList<>();
        boolean done = false;
        try {
            for (int rank = 0; rank < places.size(); rank++) {
                Descriptor descriptor = descriptors.get(rank);
                PeerMemory place = places.get(rank);
                if (rank == membership.rank()) {
                    regions.add(memory);
                } else if (descriptor == null) {
                    regions.add(driver.openPeerMemory(device, place));
                } else {
                    regions.add(driver.importPeerMemory(device, place.home(), descriptor.number(), place.bytes()));
                }
            }
            done = true;
            return regions;
        } finally {
            descriptors.values().forEach(Descriptor::close);
            if (!done) {
                regions.stream().filter(region -> !region.equals(memory)).forEach(driver::close);
            }
        }
    }

    private static PeerMemory place(String text) {
        String[] parts = text.split(" ", -1);
        int home = Integer.parseInt(parts[0]);
        return new PeerMemory(home, home, Long.parseLong(parts[1]), Long.parseLong(parts[2]), 0);
    }
}
