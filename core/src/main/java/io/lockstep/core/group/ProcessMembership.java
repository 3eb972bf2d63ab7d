package io.lockstep.core.group;

import io.lockstep.core.DriverException;
import io.lockstep.core.LockstepException;
import io.lockstep.core.posix.Descriptor;
import io.lockstep.core.posix.PacketReader;
import io.lockstep.core.posix.PollSet;
import io.lockstep.core.posix.UnixSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The place of a process. It holds a stream to every other rank, and the kernel tells the end of each at once, so that
 * no thread of its own has to watch them.
 */
final class ProcessMembership implements DescriptorSharing {
    /** The stream to one peer, guarded by {@link #lock}. */
    private static final class Link {
        final Descriptor socket;
        final ArrayDeque<Arrived> inbox = new ArrayDeque<>();

        /** Why the peer is gone, as a clause; written once. */
        volatile @Nullable String loss;

        /** Whether the peer went without a goodbye. */
        boolean died;

        Link(Descriptor socket) {
            this.socket = socket;
        }
    }

    /** A message of a peer, with what came beside it. */
    private record Arrived(Packets.Gather gather, List<Descriptor> descriptors) {}

    private final int rank;
    private final List<Long> pids;
    private final MemfdMemory memory;
    private final Map<Integer, Link> links = new TreeMap<>();
    private final PacketReader reader = new PacketReader(Packets.MOST_BYTES);

    /** Guards the links and the reader; held for system calls that never wait. */
    private final Object lock = new Object();

    /** Held during an exchange, so that closing does not take the descriptors from under it. */
    private final ReentrantLock exchanging = new ReentrantLock();

    private final PollSet polls;
    private int exchanges;
    private @Nullable String broken;
    private String why = "";
    private volatile boolean closing;

    /**
     * @param pids of all ranks
     * @param streams to every other rank, by rank; they and the memory belong to this object from now on
     */
    ProcessMembership(int rank, List<Long> pids, MemfdMemory memory, Map<Integer, Descriptor> streams) {
        this.rank = rank;
        this.pids = List.copyOf(pids);
        this.memory = memory;
        streams.forEach((peer, stream) -> links.put(peer, new Link(stream)));
        this.polls = new PollSet(2 * links.size());
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int worldSize() {
        return pids.size();
    }

    @Override
    public SharedMemory memory() {
        return memory;
    }

    @Override
    public String describe(int peer) {
        return Names.rank(peer, pids.get(peer));
    }

    @Override
    public byte[][] allGather(String what, byte[] mine, Duration timeout) {
        Map<Integer, Arrived> received = exchange(what, mine, List.of(), timeout);
        byte[][] all = new byte[worldSize()][];
        received.forEach((peer, theirs) -> {
            theirs.descriptors().forEach(Descriptor::close);
            all[peer] = theirs.gather().bytes();
        });
        all[rank] = mine;
        return all;
    }

    @Override
    public Map<Integer, Descriptor> allGatherDescriptors(String what, Descriptor mine, Duration timeout) {
        Map<Integer, Descriptor> all = new TreeMap<>();
        List<Integer> without = new ArrayList<>();
        exchange(what, new byte[0], List.of(mine), timeout).forEach((peer, theirs) -> {
            if (theirs.descriptors().isEmpty()) {
                without.add(peer);
            } else {
                all.put(peer, theirs.descriptors().getFirst());
            }
        });
        if (!without.isEmpty()) {
            all.values().forEach(Descriptor::close);
            throw new DriverException("Rank " + rank + " got no descriptor with " + what + " of "
                    + Names.list(without.stream().map(this::describe).toList())
                    + ": see that no limit on open files cuts them (ulimit -n).");
        }
        return all;
    }

    private Map<Integer, Arrived> exchange(String what, byte[] mine, List<Descriptor> descriptors, Duration timeout) {
        if (mine.length > MOST_MESSAGE_BYTES) {
            throw Failures.tooLong(what, mine.length);
        }
        Deadline deadline = Deadline.after(timeout);
        exchanging.lock();
        try {
            if (closing) {
                throw Failures.closed(this);
            }
            if (broken != null) {
                throw Failures.broken(this, broken);
            }
            return exchange(new Packets.Gather(++exchanges, what, ByteBuffer.wrap(mine)), descriptors, deadline);
        } catch (LockstepException e) {
            broken = broken == null ? e.getMessage() : broken;
            throw e;
        } finally {
            exchanging.unlock();
        }
    }

    @Override
    public @Nullable String lost(int peer) {
        Link link = links.get(peer);
        if (link == null || link.loss != null) {
            return link == null ? null : link.loss;
        }
        synchronized (lock) {
            if (!closing) {
                drain(peer, link);
            }
            return link.loss;
        }
    }

    @Override
    public void close() {
        synchronized (lock) {
            if (closing) {
                return;
            }
            closing = true;
            for (Link link : links.values()) {
                Packets.offer(link.socket, new Packets.Goodbye(why));
                UnixSocket.shutdown(link.socket);
            }
        }
        // The shutdown has woken an exchange of another thread.
        exchanging.lock();
        try {
            for (Link link : links.values()) {
                link.socket.close();
                link.inbox.forEach(arrived -> arrived.descriptors().forEach(Descriptor::close));
            }
            memory.close();
        } finally {
            exchanging.unlock();
        }
    }

    private Map<Integer, Arrived> exchange(Packets.Gather gather, List<Descriptor> descriptors, Deadline deadline) {
        byte[] packet = Packets.encode(gather);
        List<Link> unsent = new ArrayList<>(links.values());
        Map<Integer, Arrived> received = new TreeMap<>();
        while (true) {
            synchronized (lock) {
                unsent.removeIf(link ->
                        link.loss != null || UnixSocket.send(link.socket, packet, descriptors) != UnixSocket.Sent.FULL);
                receive(gather, received);
            }
            if (received.size() == links.size() && unsent.isEmpty()) {
                return received;
            }
            if (closing) {
                throw Failures.closed(this);
            }
            String loss = loss(received);
            if (loss != null) {
                throw Failures.lost(this, gather.what(), loss);
            }
            if (deadline.isOver()) {
                throw late(gather.what(), received, unsent, deadline);
            }
            polls.clear();
            links.forEach((peer, link) -> {
                if (!received.containsKey(peer)) {
                    polls.addReader(link.socket);
                }
            });
            unsent.forEach(link -> polls.addWriter(link.socket));
            polls.await(deadline.nanosLeft());
        }
    }

    private void receive(Packets.Gather mine, Map<Integer, Arrived> received) {
        links.forEach((peer, link) -> {
            if (!received.containsKey(peer)) {
                if (link.inbox.isEmpty()) {
                    drain(peer, link);
                }
                Arrived theirs = link.inbox.poll();
                if (theirs != null) {
                    Packets.Gather gather = theirs.gather();
                    if (gather.number() != mine.number() || !gather.what().equals(mine.what())) {
                        throw Failures.different(this, mine.number(), mine.what(), peer, gather);
                    }
                    received.put(peer, theirs);
                }
            }
        });
    }

    /** Why this exchange cannot end: the rank that died, rather than one that left because of it. */
    private @Nullable String loss(Map<Integer, Arrived> received) {
        String loss = null;
        for (Map.Entry<Integer, Link> entry : links.entrySet()) {
            Link link = entry.getValue();
            if (link.loss != null && !received.containsKey(entry.getKey())) {
                if (link.died) {
                    return link.loss;
                }
                loss = loss == null ? link.loss : loss;
            }
        }
        return loss;
    }

    private LockstepException late(String what, Map<Integer, Arrived> received, List<Link> unsent, Deadline deadline) {
        List<Integer> missing = links.entrySet().stream()
                .filter(entry -> !received.containsKey(entry.getKey()) || unsent.contains(entry.getValue()))
                .map(Map.Entry::getKey)
                .toList();
        synchronized (lock) {
            why = why.isEmpty() ? Failures.late(this, deadline, missing) : why;
        }
        return Failures.late(this, what, deadline, missing);
    }

    /** Takes in what the peer has sent, its end too. */
    private void drain(int peer, Link link) {
        while (link.loss == null) {
            switch (reader.receive(link.socket)) {
                case PacketReader.Received.Nothing nothing -> {
                    return;
                }
                case PacketReader.Received.End end -> {
                    String ended = describe(peer) + " ended";
                    link.died = true;
                    lose(link, ended, ended);
                }
                case PacketReader.Received.Packet packet -> {
                    Packets.Packet decoded = Packets.decode(packet.bytes());
                    if (decoded instanceof Packets.Gather gather) {
                        link.inbox.add(new Arrived(gather, List.copyOf(packet.descriptors())));
                        continue;
                    }
                    packet.descriptors().forEach(Descriptor::close);
                    switch (decoded) {
                        case Packets.Goodbye goodbye -> {
                            String reason = goodbye.why();
                            String left = Failures.left(describe(peer), reason);
                            lose(link, left, reason.isEmpty() ? left : reason);
                        }
                        default -> {
                            // Nothing else is sent in a complete group; what is not understood is not acted on.
                        }
                    }
                }
            }
        }
    }

    /** The first loss is what this rank gives as its reason when it leaves. */
    private void lose(Link link, String loss, String cause) {
        why = why.isEmpty() ? cause : why;
        link.loss = loss;
    }
}
