package io.lockstep.gpu.driver;

import io.lockstep.core.DriverException;
import java.util.HashMap;
import java.util.Map;

/** How many have the memory at an address open within this process, so that it is freed when the last one is done. */
public final class OpenMemory {
    private final String library;

    /** By address; guarded by this. */
    private final Map<Long, Integer> uses = new HashMap<>();

    /** @param library for messages, such as {@code HIP} */
    public OpenMemory(String library) {
        this.library = library;
    }

    /** The first one has it. */
    public synchronized void allocated(long address) {
        uses.put(address, 1);
    }

    /**
     * One more has it.
     *
     * @throws DriverException if nobody has it any more
     */
    public synchronized void opened(int device, PeerMemory memory) {
        if (uses.computeIfPresent(memory.address(), (address, count) -> count + 1) == null) {
            throw new DriverException(library + ": the memory of device " + memory.home() + " at " + memory.address()
                    + " was freed before device " + device + " opened it.");
        }
    }

    /** One is done with it; true if it was the last one, who frees it. */
    public synchronized boolean isClosedByLast(long address) {
        boolean last = uses.merge(address, -1, Integer::sum) <= 0;
        if (last) {
            uses.remove(address);
        }
        return last;
    }
}
