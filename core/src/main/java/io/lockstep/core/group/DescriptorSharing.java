package io.lockstep.core.group;

import io.lockstep.core.posix.Descriptor;
import java.time.Duration;
import java.util.Map;

/** The place of a rank that is a process: what has a file descriptor can be given to the others. */
public interface DescriptorSharing extends Membership {
    /**
     * Gives a copy of one descriptor to every other rank and takes one from each. Collective, and fails as
     * {@link #allGather} does.
     *
     * @param what what the descriptors stand for, in a few words for messages; the same on every rank
     * @param mine stays the caller's
     * @return one of each other rank, by rank; the caller closes them
     * @throws io.lockstep.core.DriverException if this process may not open so many
     */
    Map<Integer, Descriptor> allGatherDescriptors(String what, Descriptor mine, Duration timeout);
}
