package io.lockstep.litmus.model;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the models built on happens-before share: release and acquire over atomic accesses, and for each atomic location
 * one modification order that agrees with it. What a weak read may see is the business of each model.
 */
abstract class HappensBefore extends Execution {
    HappensBefore(Program program) {
        super(program, false);
    }

    HappensBefore(HappensBefore other) {
        super(other);
    }

    /** Whether two atomic operations can synchronise with each other. */
    abstract boolean inclusive(Event a, Event b);

    final boolean happensBefore(Event first, Event second) {
        return first.kind() == Event.Kind.INITIAL
                ? second.kind() != Event.Kind.INITIAL
                : order.has(first.id(), second.id());
    }

    @Override
    protected final void link(Event read, Event write) {
        // Atomics whose scopes leave each other out race, and a race synchronises nothing.
        if (!read.isStrong() || !write.isStrong() || !inclusive(write, read)) {
            return;
        }
        for (Event head : sequenceHeads(write)) {
            for (Event tail : sequenceTails(read)) {
                synchronise(head, tail);
            }
        }
    }

    /** The writes whose release sequence this write belongs to: itself, and those its read-modify-writes read from. */
    private List<Event> sequenceHeads(Event write) {
        List<Event> heads = new ArrayList<>(List.of(write));
        Event head = write;
        while (head.partner() >= 0 && source(head.partner()) >= 0) {
            Event own = program().event(head.partner());
            head = program().event(source(own.id()));
            // Two that read each other are no execution, which the rules of coherence find.
            if (!inclusive(head, own) || heads.contains(head)) {
                break;
            }
            heads.add(head);
        }
        return heads;
    }

    /** The reads that read from this read's release sequence: itself, and those of what its read-modify-write wrote. */
    private List<Event> sequenceTails(Event read) {
        List<Event> tails = new ArrayList<>(List.of(read));
        for (int i = 0; i < tails.size(); i++) {
            int own = tails.get(i).partner();
            if (own >= 0) {
                for (Event other : program().accesses(read.location())) {
                    if (other.isRead()
                            && source(other.id()) == own
                            && inclusive(program().event(own), other)
                            && !tails.contains(other)) {
                        tails.add(other);
                    }
                }
            }
        }
        return tails;
    }

    private void synchronise(Event write, Event read) {
        for (Event release : releases(write)) {
            for (Event acquire : acquires(read)) {
                if (inclusive(release, acquire)) {
                    order.addClosed(release.id(), acquire.id());
                }
            }
        }
    }

    @Override
    final List<Event> releases(Event write) {
        List<Event> found = new ArrayList<>();
        if (!write.isStrong() || write.kind() == Event.Kind.INITIAL) {
            return found;
        }
        for (Event event : program().events()) {
            boolean fence =
                    event.kind() == Event.Kind.FENCE && program().programOrder().has(event.id(), write.id());
            if (event.releases() && (fence || event.id() == write.id())) {
                found.add(event);
            }
        }
        return found;
    }

    @Override
    final List<Event> acquires(Event read) {
        List<Event> found = new ArrayList<>();
        for (Event event : program().events()) {
            boolean fence =
                    event.kind() == Event.Kind.FENCE && program().programOrder().has(read.id(), event.id());
            if (event.acquires() && (fence || event.id() == read.id())) {
                found.add(event);
            }
        }
        return found;
    }

    @Override
    protected final boolean consistent() {
        for (Event event : program().events()) {
            if (event.isAccess() && order.has(event.id(), event.id())) {
                return false;
            }
        }
        for (int location = 0; location < program().locations().size(); location++) {
            if (!coherent(location)) {
                return false;
            }
        }
        return true;
    }

    /** The four coherence rules, for the atomic accesses of one location. */
    private boolean coherent(int location) {
        List<Event> atomics =
                program().accesses(location).stream().filter(Event::isStrong).toList();
        if (atomics.size() < 2) {
            return true;
        }
        boolean changed = true;
        while (changed) {
            changed = false;
            for (Event a : atomics) {
                for (Event b : atomics) {
                    int earlier = a.isWrite() ? a.id() : source(a.id());
                    int later = b.isWrite() ? b.id() : source(b.id());
                    if (a.id() != b.id() && earlier >= 0 && later >= 0 && earlier != later && happensBefore(a, b)) {
                        if (a.isRead() && b.isWrite() && earlier == b.id()) {
                            return false;
                        }
                        changed |= writeOrder.addClosed(earlier, later);
                    } else if (a.isRead() && b.isWrite() && earlier == b.id() && happensBefore(a, b)) {
                        return false;
                    }
                }
            }
        }
        for (Event write : program().writes(location)) {
            if (writeOrder.has(write.id(), write.id())) {
                return false;
            }
        }
        for (Event read : atomics) {
            if (read.isRead()
                    && source(read.id()) >= 0
                    && !(permits(read, program().event(source(read.id()))) && (read.partner() < 0 || atomic(read)))) {
                return false;
            }
        }
        return true;
    }

    /** A read-modify-write reads the write just before its own. */
    private boolean atomic(Event read) {
        int own = read.partner();
        int observed = source(read.id());
        writeOrder.addClosed(observed, own);
        for (Event other : program().writes(read.location())) {
            if (writeOrder.has(observed, other.id()) && writeOrder.has(other.id(), own)) {
                return false;
            }
        }
        return !writeOrder.has(own, own);
    }

    @Override
    final boolean reach(Event a, Event b) {
        return inclusive(a, b);
    }

    @Override
    final boolean permits(Event read, Event write) {
        if (happensBefore(read, write)) {
            return false;
        }
        for (Event newer : program().writes(read.location())) {
            // A plain write has no place in the modification order, and hides an older one all the same.
            boolean hides = writeOrder.has(write.id(), newer.id()) || happensBefore(write, newer);
            if (newer.id() != write.id() && hides && happensBefore(newer, read)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public final @Nullable Choice open() {
        for (int location = 0; location < program().locations().size(); location++) {
            List<Event> writes = program().writes(location);
            for (int i = 1; i < writes.size(); i++) {
                for (int j = i + 1; j < writes.size(); j++) {
                    Event a = writes.get(i);
                    Event b = writes.get(j);
                    if (a.isStrong()
                            && b.isStrong()
                            && !writeOrder.has(a.id(), b.id())
                            && !writeOrder.has(b.id(), a.id())) {
                        return new Choice(a.id(), b.id());
                    }
                }
            }
        }
        return null;
    }

    @Override
    public final boolean choose(int first, int second) {
        writeOrder.addClosed(first, second);
        return consistent();
    }

    @Override
    public final boolean ordered(Event first, Event second) {
        return happensBefore(first, second);
    }

    @Override
    public final boolean overwrites(Event earlier, Event later) {
        return writeOrder.has(earlier.id(), later.id());
    }

    @Override
    public final List<Race> races() {
        List<Race> found = new ArrayList<>();
        for (int location = 0; location < program().locations().size(); location++) {
            List<Event> accesses = program().accesses(location);
            for (Event first : accesses) {
                for (Event second : accesses) {
                    boolean atomics = first.isStrong() && second.isStrong() && inclusive(first, second);
                    if (first.id() < second.id()
                            && (first.isWrite() || second.isWrite())
                            && first.partner() != second.id()
                            && !atomics
                            && !happensBefore(first, second)
                            && !happensBefore(second, first)) {
                        found.add(new Race(first, second));
                    }
                }
            }
        }
        return found;
    }
}
