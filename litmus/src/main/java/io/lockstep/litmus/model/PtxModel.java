package io.lockstep.litmus.model;

import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Order;
import io.lockstep.litmus.model.Event.Kind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * PTX, instruction set manual, chapter "Memory Consistency Model": morally strong pairs, release and acquire patterns,
 * observation through read-modify-writes, base causality with barriers, {@code fence.sc} and the synchronisation of
 * kernels on a stream, and the axioms Coherence, FenceSC, Atomicity, No-thin-air, SC-per-location and Causality.
 *
 * <p>Not modelled: proxies, clusters, accesses that overlap in part.
 */
final class PtxModel implements MemoryModel {
    @Override
    public Model model() {
        return Model.PTX;
    }

    @Override
    public Execution begin(Program program) {
        return new Run(program);
    }

    private static final class Run extends Execution {
        /** Write to read: what a read observes, through any chain of read-modify-writes. */
        private final Relation observation;

        Run(Program program) {
            // Barriers of a work-group, and kernels of a stream: neither has a scope to fall short of.
            // PTX has no barrier of local memory only: where one is asked for, bar.sync stands.
            super(program, true);
            observation = new Relation(program.events().size());
        }

        private Run(Run other) {
            super(other);
            observation = other.observation.copy();
        }

        @Override
        public Execution copy() {
            return new Run(this);
        }

        private boolean morallyStrong(Event a, Event b) {
            return program().sameThread(a, b)
                    || (a.isStrong() && b.isStrong() && program().inclusive(a, b));
        }

        @Override
        protected void link(Event read, Event write) {
            if (!morallyStrong(write, read)) {
                return;
            }
            List<Event> observed = new ArrayList<>(List.of(write));
            if (write.partner() >= 0) {
                for (Event earlier : program().writes(write.location())) {
                    if (observation.has(earlier.id(), write.partner())) {
                        observed.add(earlier);
                    }
                }
            }
            List<Event> observers = new ArrayList<>(List.of(read));
            if (read.partner() >= 0) {
                observation.forEach(
                        read.partner(), later -> observers.add(program().event(later)));
            }
            for (Event from : observed) {
                for (Event to : observers) {
                    observation.add(from.id(), to.id());
                    synchronise(from, to);
                }
            }
        }

        private void synchronise(Event write, Event read) {
            for (Event acquire : acquires(read)) {
                for (Event release : releases(write)) {
                    if (morallyStrong(release, acquire)) {
                        order.addClosed(release.id(), acquire.id());
                    }
                }
            }
        }

        @Override
        List<Event> releases(Event write) {
            List<Event> found = new ArrayList<>();
            if (!write.isStrong() || write.kind() == Kind.INITIAL) {
                return found;
            }
            for (Event event : program().events()) {
                boolean earlier = program().programOrder().has(event.id(), write.id());
                boolean pattern = event.kind() == Kind.FENCE ? earlier : earlier || event.id() == write.id();
                if (pattern
                        && event.releases()
                        && (event.kind() == Kind.FENCE || event.location() == write.location())) {
                    found.add(event);
                }
            }
            return found;
        }

        @Override
        List<Event> acquires(Event read) {
            List<Event> found = new ArrayList<>();
            if (!read.isStrong()) {
                return found;
            }
            for (Event event : program().events()) {
                boolean later = program().programOrder().has(read.id(), event.id());
                boolean pattern = event.kind() == Kind.FENCE ? later : later || event.id() == read.id();
                if (pattern
                        && event.acquires()
                        && (event.kind() == Kind.FENCE || event.location() == read.location())) {
                    found.add(event);
                }
            }
            return found;
        }

        /** Causality order: base causality, or an observation and then base causality. */
        private boolean causes(Event first, Event second) {
            return order.has(first.id(), second.id())
                    || (first.isWrite() && observation.linked(first.id(), order, second.id()));
        }

        @Override
        protected boolean consistent() {
            for (Event event : program().events()) {
                if ((event.isAccess() || event.kind() == Kind.FENCE) && order.has(event.id(), event.id())) {
                    return false;
                }
            }
            for (int location = 0; location < program().locations().size(); location++) {
                if (program().accesses(location).size() > 1 && !coherent(location)) {
                    return false;
                }
            }
            return true;
        }

        private boolean coherent(int location) {
            List<Event> writes = program().writes(location);
            List<Event> accesses = program().accesses(location);
            boolean changed = true;
            while (changed) {
                changed = false;
                for (Event first : writes) {
                    for (Event second : writes) {
                        // Coherence.
                        if (first.kind() != Kind.INITIAL && first.id() != second.id() && causes(first, second)) {
                            changed |= writeOrder.addClosed(first.id(), second.id());
                        }
                    }
                }
                for (Event read : accesses) {
                    if (read.isRead() && source(read.id()) >= 0) {
                        Event write = program().event(source(read.id()));
                        for (Event other : writes) {
                            if (other.id() == write.id()) {
                                continue;
                            }
                            // Causality: what a read knows of cannot be newer than what it returns.
                            if (causes(other, read) && morallyStrong(other, write)) {
                                changed |= writeOrder.addClosed(other.id(), write.id());
                            }
                        }
                    }
                }
            }
            for (Event write : writes) {
                if (writeOrder.has(write.id(), write.id())) {
                    return false;
                }
            }
            for (Event read : accesses) {
                if (read.isRead()
                        && source(read.id()) >= 0
                        && !(permitted(read, program().event(source(read.id()))) && atomic(read))) {
                    return false;
                }
            }
            return sequential(location);
        }

        /** Causality, for one read returning one write. */
        private boolean permitted(Event read, Event write) {
            if (order.has(read.id(), write.id())) {
                return false;
            }
            for (Event newer : program().writes(read.location())) {
                if (writeOrder.has(write.id(), newer.id()) && causes(newer, read)) {
                    return false;
                }
            }
            return true;
        }

        /** Atomicity of a read-modify-write, among morally strong writes. */
        private boolean atomic(Event read) {
            if (read.partner() < 0) {
                return true;
            }
            Event own = program().event(read.partner());
            for (Event other : program().writes(read.location())) {
                if (other.id() != own.id()
                        && writeOrder.has(source(read.id()), other.id())
                        && writeOrder.has(other.id(), own.id())
                        && morallyStrong(read, other)
                        && morallyStrong(other, own)) {
                    return false;
                }
            }
            return true;
        }

        /** SC-per-location, over the accesses of one location. */
        private boolean sequential(int location) {
            List<Event> accesses = program().accesses(location);
            Relation before = new Relation(accesses.size());
            for (int i = 0; i < accesses.size(); i++) {
                for (int j = 0; j < accesses.size(); j++) {
                    if (i != j && before(accesses.get(i), accesses.get(j))) {
                        before.add(i, j);
                    }
                }
            }
            return before.isAcyclic();
        }

        private boolean before(Event a, Event b) {
            if (program().programOrder().has(a.id(), b.id())) {
                return true;
            }
            if (!morallyStrong(a, b) && a.kind() != Kind.INITIAL) {
                return false;
            }
            if (a.isWrite()) {
                return b.isWrite() ? writeOrder.has(a.id(), b.id()) : source(b.id()) == a.id();
            }
            return b.isWrite() && source(a.id()) >= 0 && writeOrder.has(source(a.id()), b.id());
        }

        @Override
        boolean reach(Event a, Event b) {
            return morallyStrong(a, b);
        }

        @Override
        boolean permits(Event read, Event write) {
            return permitted(read, write);
        }

        @Override
        public @Nullable Choice open() {
            for (int location = 0; location < program().locations().size(); location++) {
                List<Event> writes = program().writes(location);
                for (int i = 1; i < writes.size(); i++) {
                    for (int j = i + 1; j < writes.size(); j++) {
                        Event a = writes.get(i);
                        Event b = writes.get(j);
                        if (morallyStrong(a, b) && !writeOrder.has(a.id(), b.id()) && !writeOrder.has(b.id(), a.id())) {
                            return new Choice(a.id(), b.id());
                        }
                    }
                }
            }
            for (Event a : program().events()) {
                for (Event b : program().events()) {
                    if (a.id() < b.id()
                            && a.kind() == Kind.FENCE
                            && b.kind() == Kind.FENCE
                            && a.order() == Order.SEQUENTIALLY_CONSISTENT
                            && b.order() == Order.SEQUENTIALLY_CONSISTENT
                            && morallyStrong(a, b)
                            && !order.has(a.id(), b.id())
                            && !order.has(b.id(), a.id())) {
                        return new Choice(a.id(), b.id());
                    }
                }
            }
            return null;
        }

        @Override
        public boolean choose(int first, int second) {
            if (program().event(first).kind() == Kind.FENCE) {
                order.addClosed(first, second);
            } else {
                writeOrder.addClosed(first, second);
            }
            return consistent();
        }

        @Override
        public List<Sight> sights(Event read) {
            List<Sight> found = new ArrayList<>();
            for (Event write : program().writes(read.location())) {
                if (read.accepts().contain(write.value()) && permitted(read, write)) {
                    found.add(new Sight(write, true));
                }
            }
            return found;
        }

        @Override
        public List<Race> races() {
            List<Race> found = new ArrayList<>();
            for (int location = 0; location < program().locations().size(); location++) {
                List<Event> accesses = program().accesses(location);
                for (Event first : accesses) {
                    for (Event second : accesses) {
                        if (first.id() < second.id()
                                && first.kind() != Kind.INITIAL
                                && (first.isWrite() || second.isWrite())
                                && first.partner() != second.id()
                                && !morallyStrong(first, second)
                                && !causes(first, second)
                                && !causes(second, first)) {
                            found.add(new Race(first, second));
                        }
                    }
                }
            }
            return found;
        }

        @Override
        public boolean ordered(Event first, Event second) {
            return causes(first, second);
        }

        @Override
        public boolean overwrites(Event earlier, Event later) {
            return writeOrder.has(earlier.id(), later.id());
        }
    }
}
