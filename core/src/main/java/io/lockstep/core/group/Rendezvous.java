package io.lockstep.core.group;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.DriverException;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.PeerLostException;
import io.lockstep.core.Version;
import io.lockstep.core.posix.Libc;
import java.nio.file.Path;

/**
 * Where the processes of a group find each other. Rank 0 listens on a Unix socket named after the group; the others
 * connect, say who they are, and wait. When all have come, rank 0 makes the group's memory and a stream between every
 * two ranks, hands them out, and removes the socket: a group that runs leaves nothing on disk, and nothing that another
 * process could open.
 */
public final class Rendezvous {
    private Rendezvous() {}

    /**
     * Joins the group and returns when all its ranks have come.
     *
     * @throws DisagreementException if the ranks differ in version or world size, or a rank came twice; on every rank
     *     that has come
     * @throws CollectiveTimeoutException if ranks are missing after the deadline; it says which
     * @throws PeerLostException if a rank that had come died before the group was complete
     * @throws DriverException if this system or the directory where ranks meet does not allow it; it says why
     */
    public static Membership join(GroupSpec spec) {
        Libc.require();
        Path path = MeetingPlace.path(System.getenv(), Path.of(System.getProperty("java.io.tmpdir", "/tmp")));
        return join(spec, path, Version.current());
    }

    /** As {@link #join(GroupSpec)}, in this directory and as this version. */
    static Membership join(GroupSpec spec, Path path, String version) {
        Libc.require();
        Deadline deadline = Deadline.after(spec.joinTimeout());
        Packets.Hello self = new Packets.Hello(
                Packets.PROTOCOL,
                spec.rank(),
                spec.worldSize(),
                ProcessHandle.current().pid(),
                version);
        try (MeetingPlace place = MeetingPlace.open(path)) {
            return spec.rank() == 0
                    ? Host.host(spec.group(), self, place, deadline)
                    : Guest.visit(spec.group(), self, place, deadline);
        }
    }
}
