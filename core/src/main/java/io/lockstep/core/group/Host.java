package io.lockstep.core.group;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.DriverException;
import io.lockstep.core.LockstepException;
import io.lockstep.core.PeerLostException;
import io.lockstep.core.posix.Descriptor;
import io.lockstep.core.posix.Directory;
import io.lockstep.core.posix.Memfd;
import io.lockstep.core.posix.PacketReader;
import io.lockstep.core.posix.PollSet;
import io.lockstep.core.posix.UnixSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Rank 0 while the group joins. A failure is told to every rank that has come, after the socket is gone: whoever hears
 * of it can join again at once without meeting this failed group again.
 */
final class Host {
    static final String ADVICE =
            "Start every rank on this machine, as one user, with the same group name, or allow more"
                    + " time with LOCKSTEP_JOIN_TIMEOUT.";

    /** After a disagreement, how long ranks that are still starting are awaited, so that they hear of it too. */
    private static final Duration LINGER = Duration.ofSeconds(2);

    private static final int MOST_VISITORS = 64;

    /** A connection, and who came on it once that is known. */
    private static final class Visitor {
        final Descriptor socket;
        final int process;
        Packets.@Nullable Hello hello;

        Visitor(Descriptor socket, int process) {
            this.socket = socket;
            this.process = process;
        }

        /** As the kernel knows it; as it says itself where it lives in another namespace. */
        long pid(Packets.Hello said) {
            return process > 0 ? process : said.pid();
        }
    }

    private final String group;
    private final Packets.Hello self;
    private final MeetingPlace place;
    private final Deadline deadline;
    private final MeetingPlace.Listener listener;
    private final List<Visitor> visitors = new ArrayList<>();
    private final Map<Integer, Visitor> members = new TreeMap<>();
    private final PacketReader reader = new PacketReader(Packets.MOST_BYTES);
    private final PollSet polls = new PollSet(MOST_VISITORS + 1);
    private Packets.@Nullable Refusal fault;
    private Deadline patience;
    private int mostRanks;
    private boolean listening = true;

    private Host(
            String group, Packets.Hello self, MeetingPlace place, Deadline deadline, MeetingPlace.Listener listener) {
        this.group = group;
        this.self = self;
        this.place = place;
        this.deadline = deadline;
        this.patience = deadline;
        this.listener = listener;
        this.mostRanks = self.worldSize();
    }

    /** Serves until the group is complete or cannot be. */
    static Membership host(String group, Packets.Hello self, MeetingPlace place, Deadline deadline) {
        MeetingPlace.Listener listener = place.listen(group, deadline);
        if (listener == null) {
            long other = 0;
            if (place.connect(group) instanceof UnixSocket.Connection.Connected live) {
                other = UnixSocket.peer(live.socket()).process();
                live.socket().close();
            }
            throw new DisagreementException("Group '" + group + "': rank 0 came twice, first as "
                    + (other > 0 ? "pid " + other : "another process") + " and then as pid " + self.pid()
                    + ": give every process a rank of its own, and every group a name of its own.");
        }
        Host host = new Host(group, self, place, deadline, listener);
        try {
            return host.serve();
        } catch (LockstepException e) {
            host.refuse(new Packets.Refusal(reason(e), String.valueOf(e.getMessage())));
            throw e;
        } finally {
            host.release();
        }
    }

    /** The exception that a refusal stands for. */
    static LockstepException failure(Packets.Refusal refusal) {
        return switch (refusal.reason()) {
            case DISAGREEMENT -> new DisagreementException(refusal.sentence());
            case TIMEOUT -> new CollectiveTimeoutException(refusal.sentence());
            case PEER_LOST -> new PeerLostException(refusal.sentence());
            case DRIVER -> new DriverException(refusal.sentence());
        };
    }

    /** The sentence for a group of which ranks are missing. */
    static String missing(String group, List<Long> pids, MeetingPlace place, Deadline deadline) {
        return "Group '" + group + "': " + Names.ranks(pids, false) + " did not come to " + place + " within "
                + deadline + ", awaited by " + Names.ranks(pids, true) + ". " + ADVICE;
    }

    private static Packets.Reason reason(LockstepException e) {
        return switch (e) {
            case DisagreementException disagreement -> Packets.Reason.DISAGREEMENT;
            case CollectiveTimeoutException timeout -> Packets.Reason.TIMEOUT;
            case PeerLostException lost -> Packets.Reason.PEER_LOST;
            default -> Packets.Reason.DRIVER;
        };
    }

    private Membership serve() {
        while (members.size() < self.worldSize() - 1 || fault != null) {
            acceptAll();
            // A copy: a visitor that leaves is taken from the list.
            List.copyOf(visitors).forEach(this::hear);
            if (fault != null && (allHaveCome() || patience.isOver() || deadline.isOver())) {
                throw failure(fault);
            }
            if (deadline.isOver()) {
                throw new CollectiveTimeoutException(missing(group, pids(), place, deadline));
            }
            if (members.size() < self.worldSize() - 1 || fault != null) {
                polls.clear();
                polls.addReader(listener.socket());
                visitors.forEach(visitor -> polls.addReader(visitor.socket));
                polls.await(Math.min(patience.nanosLeft(), deadline.nanosLeft()));
            }
        }
        return complete();
    }

    /** Whether nobody is left to be told of a disagreement, if the larger world size is the right one. */
    private boolean allHaveCome() {
        return visitors.stream().filter(visitor -> visitor.hello != null).count() >= mostRanks - 1;
    }

    private void acceptAll() {
        Descriptor socket;
        while (visitors.size() < MOST_VISITORS && (socket = UnixSocket.accept(listener.socket())) != null) {
            UnixSocket.Peer peer = UnixSocket.peer(socket);
            if (peer.user() == Directory.currentUser()) {
                visitors.add(new Visitor(socket, peer.process()));
            } else {
                // It is told, and it alone: whoever is not this user cannot end the group.
                tell(
                        socket,
                        new Packets.Refusal(
                                Packets.Reason.DISAGREEMENT,
                                "Group '" + group + "': " + Names.rank(0, self.pid()) + " runs as user "
                                        + Directory.currentUser() + " and pid " + peer.process() + " as user "
                                        + peer.user() + ": run all ranks as one user."));
                socket.close();
            }
        }
    }

    private void hear(Visitor visitor) {
        switch (reader.receive(visitor.socket)) {
            case PacketReader.Received.Nothing nothing -> {}
            case PacketReader.Received.End end -> {
                visitors.remove(visitor);
                visitor.socket.close();
                Packets.Hello hello = visitor.hello;
                // One that never said who it is was only looking whether anybody is here.
                if (hello != null && fault == null) {
                    throw new PeerLostException("Group '" + group + "': "
                            + Names.rank(hello.rank(), visitor.pid(hello))
                            + " ended while the group was joining: start the group again.");
                }
            }
            case PacketReader.Received.Packet packet -> {
                packet.descriptors().forEach(Descriptor::close);
                switch (Packets.decode(packet.bytes())) {
                    case Packets.Hello hello -> meet(visitor, hello);
                    case Packets.GaveUp gaveUp -> {
                        if (fault == null) {
                            throw new CollectiveTimeoutException(gaveUp.sentence());
                        }
                    }
                    default -> {
                        visitors.remove(visitor);
                        visitor.socket.close();
                    }
                }
            }
        }
    }

    private void meet(Visitor visitor, Packets.Hello hello) {
        visitor.hello = hello;
        mostRanks = Math.max(mostRanks, hello.worldSize());
        String difference = difference(visitor, hello);
        if (difference != null) {
            if (fault == null) {
                fault = new Packets.Refusal(Packets.Reason.DISAGREEMENT, "Group '" + group + "': " + difference);
                patience = Deadline.after(LINGER);
            }
            return;
        }
        members.put(hello.rank(), visitor);
        Packets.Roster roster = new Packets.Roster(pids());
        members.values().forEach(member -> tell(member.socket, roster));
    }

    private @Nullable String difference(Visitor visitor, Packets.Hello hello) {
        String here = Names.rank(0, self.pid());
        String there = Names.rank(hello.rank(), visitor.pid(hello));
        if (hello.protocol() != self.protocol() || !hello.version().equals(self.version())) {
            return here + " runs Lockstep " + self.version() + " (protocol " + self.protocol() + ") and " + there
                    + " runs Lockstep " + hello.version() + " (protocol " + hello.protocol()
                    + "): run one version on all ranks.";
        }
        if (hello.worldSize() != self.worldSize()) {
            return here + " has world size " + self.worldSize() + " and " + there + " has world size "
                    + hello.worldSize() + ": give all ranks the same.";
        }
        Visitor other = members.get(hello.rank());
        if (other != null || hello.rank() <= 0 || hello.rank() >= self.worldSize()) {
            long first = other == null || other.hello == null ? self.pid() : other.pid(other.hello);
            return "rank " + hello.rank() + " came twice, as pid " + first + " and as pid " + visitor.pid(hello)
                    + ": give every process a rank of its own.";
        }
        return null;
    }

    private List<Long> pids() {
        List<Long> pids = new ArrayList<>(Packets.nobody(self.worldSize()));
        pids.set(0, self.pid());
        members.forEach((rank, member) -> {
            if (member.hello != null) {
                pids.set(rank, member.pid(member.hello));
            }
        });
        return pids;
    }

    private Membership complete() {
        List<Descriptor> mine = new ArrayList<>();
        List<Descriptor> theirs = new ArrayList<>();
        boolean done = false;
        try {
            Descriptor memory = Memfd.create("lockstep");
            mine.add(memory);
            Map<Integer, List<Descriptor>> handed = new TreeMap<>();
            members.keySet().forEach(rank -> handed.put(rank, new ArrayList<>(List.of(memory))));
            // By rising rank of the first and then of the second: each rank's streams come in order of rank.
            for (int first = 1; first < self.worldSize(); first++) {
                for (int second = first + 1; second < self.worldSize(); second++) {
                    List<Descriptor> pair = UnixSocket.pair();
                    theirs.addAll(pair);
                    add(handed, first, pair.getFirst());
                    add(handed, second, pair.getLast());
                }
            }
            stopListening();
            byte[] welcome = Packets.encode(new Packets.Welcome(pids()));
            Map<Integer, Descriptor> streams = new TreeMap<>();
            members.forEach((rank, member) -> {
                // Whoever is gone by now is found lost by all, as one that dies later is.
                UnixSocket.send(member.socket, welcome, handed.getOrDefault(rank, List.of()));
                streams.put(rank, member.socket);
                visitors.remove(member);
            });
            Membership membership = new ProcessMembership(0, pids(), new MemfdMemory(memory), streams);
            done = true;
            return membership;
        } finally {
            theirs.forEach(Descriptor::close);
            if (!done) {
                mine.forEach(Descriptor::close);
            }
        }
    }

    private static void add(Map<Integer, List<Descriptor>> handed, int rank, Descriptor stream) {
        handed.computeIfAbsent(rank, key -> new ArrayList<>()).add(stream);
    }

    private void refuse(Packets.Refusal refusal) {
        stopListening();
        acceptAll();
        visitors.forEach(visitor -> tell(visitor.socket, refusal));
    }

    private static void tell(Descriptor socket, Packets.Packet packet) {
        // A visitor that does not read, or is gone, misses what it could not have heard anyway.
        Packets.offer(socket, packet);
    }

    private void stopListening() {
        if (listening) {
            listening = false;
            place.end(listener);
        }
    }

    private void release() {
        stopListening();
        listener.socket().close();
        visitors.forEach(visitor -> visitor.socket.close());
    }
}
