package io.lockstep.core.group;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.DriverException;
import io.lockstep.core.LockstepException;
import io.lockstep.core.PeerLostException;
import io.lockstep.core.posix.Descriptor;
import io.lockstep.core.posix.Directory;
import io.lockstep.core.posix.Errno;
import io.lockstep.core.posix.PacketReader;
import io.lockstep.core.posix.PollSet;
import io.lockstep.core.posix.UnixSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A rank other than 0 while it joins. */
final class Guest {
    private static final long FIRST_PAUSE_NANOS = 1_000_000;
    private static final long LONGEST_PAUSE_NANOS = 20_000_000;
    private static final Duration CLEANING = Duration.ofMillis(200);

    private final String group;
    private final Packets.Hello self;
    private final MeetingPlace place;
    private final Deadline deadline;
    private final PollSet polls = new PollSet(1);

    private Guest(String group, Packets.Hello self, MeetingPlace place, Deadline deadline) {
        this.group = group;
        this.self = self;
        this.place = place;
        this.deadline = deadline;
    }

    /** Joins, however often rank 0 has to be looked for. */
    static Membership visit(String group, Packets.Hello self, MeetingPlace place, Deadline deadline) {
        return new Guest(group, self, place, deadline).visit();
    }

    private Membership visit() {
        long pause = FIRST_PAUSE_NANOS;
        while (true) {
            switch (place.connect(group)) {
                case UnixSocket.Connection.Connected connected -> {
                    Descriptor host = connected.socket();
                    boolean joined = false;
                    try {
                        Membership membership = join(host);
                        joined = membership != null;
                        if (membership != null) {
                            return membership;
                        }
                    } finally {
                        if (!joined) {
                            host.close();
                        }
                    }
                }
                case UnixSocket.Connection.Absent absent -> {
                    if (absent.errno() == Errno.ECONNREFUSED) {
                        place.removeIfDead(group, deadline);
                    }
                }
            }
            if (deadline.isOver()) {
                throw new CollectiveTimeoutException("Group '" + group + "': rank 0 did not come to " + place
                        + " within " + deadline + ", awaited by " + Names.rank(self.rank(), self.pid()) + ". "
                        + Host.ADVICE);
            }
            polls.clear();
            polls.await(Math.min(pause, deadline.nanosLeft()));
            pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
        }
    }

    /** Null if this rank 0 ended before it answered: it failed with another group, and a new one may come. */
    private @Nullable Membership join(Descriptor host) {
        UnixSocket.Peer peer = UnixSocket.peer(host);
        if (peer.user() != Directory.currentUser()) {
            throw new DisagreementException("Group '" + group + "': " + Names.rank(0, peer.process())
                    + " runs as user " + peer.user() + " and " + Names.rank(self.rank(), self.pid()) + " as user "
                    + Directory.currentUser() + ": run all ranks as one user.");
        }
        UnixSocket.send(host, Packets.encode(self), List.of());
        PacketReader reader = new PacketReader(Packets.MOST_BYTES);
        Packets.@Nullable Roster roster = null;
        while (true) {
            switch (reader.receive(host)) {
                case PacketReader.Received.Packet packet -> {
                    switch (Packets.decode(packet.bytes())) {
                        case Packets.Roster current -> roster = current;
                        case Packets.Welcome welcome -> {
                            return complete(welcome, host, packet.descriptors());
                        }
                        case Packets.Refusal refusal -> throw Host.failure(refusal);
                        default -> packet.descriptors().forEach(Descriptor::close);
                    }
                }
                case PacketReader.Received.End end -> {
                    if (roster == null) {
                        return null;
                    }
                    cleanUp();
                    throw new PeerLostException("Group '" + group + "': " + Names.rank(0, peer.process())
                            + " ended while " + Names.rank(self.rank(), self.pid())
                            + " was joining: start the group again.");
                }
                case PacketReader.Received.Nothing nothing -> {
                    if (deadline.isOver()) {
                        throw giveUp(host, peer, roster);
                    }
                    polls.clear();
                    polls.addReader(host);
                    polls.await(deadline.nanosLeft());
                }
            }
        }
    }

    private LockstepException giveUp(Descriptor host, UnixSocket.Peer peer, Packets.@Nullable Roster roster) {
        if (roster == null) {
            return new CollectiveTimeoutException("Group '" + group + "': " + Names.rank(0, peer.process())
                    + " did not answer " + Names.rank(self.rank(), self.pid()) + " within " + deadline
                    + ": see whether it is stopped.");
        }
        String sentence = Host.missing(group, roster.pids(), place, deadline);
        Packets.offer(host, new Packets.GaveUp(sentence));
        return new CollectiveTimeoutException(sentence);
    }

    private Membership complete(Packets.Welcome welcome, Descriptor host, List<Descriptor> descriptors) {
        int worldSize = welcome.pids().size();
        if (worldSize != self.worldSize() || descriptors.size() != worldSize - 1) {
            descriptors.forEach(Descriptor::close);
            throw new DriverException("Group '" + group + "': rank 0 handed " + descriptors.size()
                    + " descriptors to rank " + self.rank() + ", and " + (self.worldSize() - 1)
                    + " were expected: see that no limit on open files cuts them (ulimit -n).");
        }
        Map<Integer, Descriptor> streams = new TreeMap<>();
        streams.put(0, host);
        int next = 1;
        for (int peer = 1; peer < worldSize; peer++) {
            if (peer != self.rank()) {
                streams.put(peer, descriptors.get(next++));
            }
        }
        return new ProcessMembership(self.rank(), welcome.pids(), new MemfdMemory(descriptors.getFirst()), streams);
    }

    /**
     * Removes what the dead rank 0 left. A process that ends closes its sockets one after another, hence the pauses.
     */
    private void cleanUp() {
        Deadline end = Deadline.after(CLEANING);
        while (!end.isOver()) {
            switch (place.connect(group)) {
                case UnixSocket.Connection.Connected live -> live.socket().close();
                case UnixSocket.Connection.Absent absent -> {
                    if (absent.errno() != Errno.ECONNREFUSED) {
                        return;
                    }
                    place.removeIfDead(group, end);
                }
            }
            polls.clear();
            polls.await(FIRST_PAUSE_NANOS);
        }
    }
}
