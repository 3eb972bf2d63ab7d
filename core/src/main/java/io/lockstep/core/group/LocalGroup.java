package io.lockstep.core.group;

import io.lockstep.core.GroupSpec;
import io.lockstep.core.LockstepException;
import io.lockstep.core.Readiness;
import io.lockstep.core.UsageException;
import io.lockstep.core.posix.Libc;
import io.lockstep.core.posix.Memfd;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A group of threads of one JVM. Every rank's place keeps the contract that a process's place keeps. */
public final class LocalGroup {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final SharedMemory memory;
    private final List<Place> places;
    private int open;

    private LocalGroup(int worldSize, SharedMemory memory) {
        this.memory = memory;
        this.open = worldSize;
        this.places =
                IntStream.range(0, worldSize).mapToObj(rank -> new Place(rank)).toList();
    }

    /** The places of ranks 0 to worldSize - 1, one for each thread. */
    public static List<Membership> create(int worldSize) {
        check(worldSize);
        boolean ready = Libc.probe() instanceof Readiness.Ready;
        return create(worldSize, ready ? new MemfdMemory(Memfd.create("lockstep")) : new ArenaMemory());
    }

    /** As {@link #create(int)}, over this memory. */
    static List<Membership> create(int worldSize, SharedMemory memory) {
        check(worldSize);
        return List.copyOf(new LocalGroup(worldSize, memory).places);
    }

    private static void check(int worldSize) {
        if (worldSize < 2 || worldSize > GroupSpec.MAX_WORLD_SIZE) {
            throw new UsageException("Group: world size is " + worldSize + ": expected 2 to 8.");
        }
    }

    /** One rank's place; all but the constants is guarded by the group's lock. */
    private final class Place implements Membership {
        private final int rank;
        private final Map<Integer, ArrayDeque<Packets.Gather>> inbox = new TreeMap<>();
        private int exchanges;
        private @Nullable String broken;
        private String why = "";

        /** How messages of other ranks say that this one left; null while it is here. Read without the lock. */
        private volatile @Nullable String left;

        Place(int rank) {
            this.rank = rank;
        }

        @Override
        public int rank() {
            return rank;
        }

        @Override
        public int worldSize() {
            return places.size();
        }

        @Override
        public SharedMemory memory() {
            return memory;
        }

        @Override
        public @Nullable String lost(int peer) {
            String loss = peer == rank ? null : places.get(peer).left;
            if (loss != null) {
                lock.lock();
                try {
                    blame(peer, loss);
                } finally {
                    lock.unlock();
                }
            }
            return loss;
        }

        @Override
        public String describe(int peer) {
            return Names.rank(peer, 0);
        }

        @Override
        public byte[][] allGather(String what, byte[] mine, Duration timeout) {
            if (mine.length > MOST_MESSAGE_BYTES) {
                throw Failures.tooLong(what, mine.length);
            }
            Deadline deadline = Deadline.after(timeout);
            lock.lock();
            try {
                if (left != null) {
                    throw Failures.closed(this);
                }
                if (broken != null) {
                    throw Failures.broken(this, broken);
                }
                return exchange(new Packets.Gather(++exchanges, what, ByteBuffer.wrap(mine.clone())), deadline);
            } catch (LockstepException e) {
                broken = broken == null ? e.getMessage() : broken;
                throw e;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            lock.lock();
            try {
                if (left == null) {
                    left = Failures.left(describe(rank), why);
                    inbox.clear();
                    open--;
                    if (open == 0 && memory instanceof MemfdMemory shared) {
                        shared.close();
                    }
                    changed.signalAll();
                }
            } finally {
                lock.unlock();
            }
        }

        private byte[][] exchange(Packets.Gather mine, Deadline deadline) {
            for (Place place : places) {
                if (place.left == null) {
                    place.inbox.computeIfAbsent(rank, key -> new ArrayDeque<>()).add(mine);
                }
            }
            changed.signalAll();
            Map<Integer, Packets.Gather> received = new TreeMap<>();
            boolean interrupted = false;
            try {
                while (true) {
                    receive(mine, received);
                    if (received.size() == worldSize()) {
                        byte[][] all = new byte[worldSize()][];
                        received.forEach((peer, theirs) -> all[peer] = theirs.bytes());
                        return all;
                    }
                    if (left != null) {
                        throw Failures.closed(this);
                    }
                    List<Integer> missing = IntStream.range(0, worldSize())
                            .filter(peer -> !received.containsKey(peer))
                            .boxed()
                            .toList();
                    for (int peer : missing) {
                        String loss = places.get(peer).left;
                        if (loss != null) {
                            blame(peer, loss);
                            throw Failures.lost(this, mine.what(), loss);
                        }
                    }
                    if (deadline.isOver()) {
                        why = why.isEmpty() ? Failures.late(this, deadline, missing) : why;
                        throw Failures.late(this, mine.what(), deadline, missing);
                    }
                    try {
                        changed.awaitNanos(deadline.nanosLeft());
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        private void receive(Packets.Gather mine, Map<Integer, Packets.Gather> received) {
            for (int peer = 0; peer < worldSize(); peer++) {
                ArrayDeque<Packets.Gather> from = inbox.get(peer);
                if (from != null && !from.isEmpty() && !received.containsKey(peer)) {
                    Packets.Gather theirs = from.remove();
                    if (theirs.number() != mine.number() || !theirs.what().equals(mine.what())) {
                        throw Failures.different(this, mine.number(), mine.what(), peer, theirs);
                    }
                    received.put(peer, theirs);
                }
            }
        }

        /** The first loss that this rank saw is what it gives as its reason when it leaves. */
        private void blame(int peer, String loss) {
            if (why.isEmpty()) {
                String cause = places.get(peer).why;
                why = cause.isEmpty() ? loss : cause;
            }
        }
    }
}
