package io.lockstep.litmus.model;

import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Scope;
import io.lockstep.litmus.model.Event.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * LLVM's memory model for AMD GPUs ("AMDGPU Memory Model"): happens-before among operations with inclusive scopes, and
 * on top of it availability (how far a write has been pushed out) and visibility (how near it has been fetched). A weak
 * read may see every write that is not hidden behind one that is location-ordered before it; if it may see one that is
 * not location-ordered before it, its value is undefined.
 *
 * <p>A full work-group barrier is a release fence, the meeting and an acquire fence, at work-group scope. A kernel
 * boundary is a release fence at the end and an acquire fence at the start of every thread, at the scope that the
 * runtime asks for in its dispatch packets.
 */
final class AmdgpuModel implements MemoryModel {
    @Override
    public Model model() {
        return Model.AMDGPU;
    }

    @Override
    public Execution begin(Program program) {
        return new Run(program);
    }

    private static final class Run extends HappensBefore {
        Run(Program program) {
            super(program);
        }

        private Run(Run other) {
            super(other);
        }

        @Override
        public Execution copy() {
            return new Run(this);
        }

        @Override
        boolean inclusive(Event a, Event b) {
            return program().inclusive(a, b);
        }

        private static boolean makesAvailable(Event event) {
            boolean operation = event.releases() || event.kind() == Kind.BARRIER || event.kind() == Kind.KERNEL_END;
            return operation && event.makesAvailable();
        }

        private static boolean makesVisible(Event event) {
            boolean operation = event.acquires() || event.kind() == Kind.BARRIER || event.kind() == Kind.KERNEL_START;
            return operation && event.makesAvailable();
        }

        /** The availability operations on a write. */
        private List<Event> availability(Event write) {
            List<Event> found = new ArrayList<>();
            if (write.isStrong()) {
                found.add(write);
            }
            for (Event event : program().events()) {
                if (makesAvailable(event) && program().programOrder().has(write.id(), event.id())) {
                    found.add(event);
                }
            }
            for (int i = 0; i < found.size(); i++) {
                Event link = found.get(i);
                for (Event event : program().events()) {
                    if (makesAvailable(event)
                            && happensBefore(link, event)
                            && program().includes(link.scope(), link, event)
                            && program().includes(event.scope(), event, write)
                            && !found.contains(event)) {
                        found.add(event);
                    }
                }
            }
            return found;
        }

        /** The visibility operations on a write, each with the widest scope in which it makes it visible. */
        private Map<Integer, Scope> visibility(Event write, List<Event> available) {
            Map<Integer, Scope> found = new HashMap<>();
            List<Event> candidates = new ArrayList<>();
            for (Event event : program().events()) {
                boolean load = event.isRead() && event.isStrong() && event.location() == write.location();
                if (load || makesVisible(event)) {
                    candidates.add(event);
                    for (Event link : available) {
                        if (happensBefore(link, event) && inclusive(link, event)) {
                            found.merge(event.id(), narrower(link.scope(), event.scope()), Run::wider);
                        }
                    }
                }
            }
            boolean changed = true;
            while (changed) {
                changed = false;
                for (Event event : candidates) {
                    for (Map.Entry<Integer, Scope> entry : List.copyOf(found.entrySet())) {
                        Event link = program().event(entry.getKey());
                        if (happensBefore(link, event)
                                && program().includes(entry.getValue(), link, event)
                                && program().includes(event.scope(), event, link)) {
                            Scope scope = narrower(entry.getValue(), event.scope());
                            Scope known = found.get(event.id());
                            if (known == null || known.compareTo(scope) < 0) {
                                found.put(event.id(), scope);
                                changed = true;
                            }
                        }
                    }
                }
            }
            return found;
        }

        private static Scope narrower(Scope a, Scope b) {
            return a.compareTo(b) < 0 ? a : b;
        }

        private static Scope wider(Scope a, Scope b) {
            return a.compareTo(b) < 0 ? b : a;
        }

        /** Everything that is location-ordered after one write. */
        private final class Order {
            private final Event write;
            private final List<Event> available;
            private final Map<Integer, Scope> visible;

            Order(Event write) {
                this.write = write;
                this.available = availability(write);
                this.visible = visibility(write, available);
            }

            boolean before(Event access) {
                if (write.kind() == Kind.INITIAL || program().programOrder().has(write.id(), access.id())) {
                    return write.id() != access.id();
                }
                if (access.isWrite()) {
                    return available.stream()
                            .anyMatch(link ->
                                    happensBefore(link, access) && program().includes(link.scope(), link, access));
                }
                return visible.containsKey(access.id())
                        || visible.keySet().stream()
                                .anyMatch(link -> program().programOrder().has(link, access.id()));
            }
        }

        /** Location orders are asked for often, and hold as long as no further read is linked. */
        private final Map<Integer, Order> orders = new HashMap<>();

        private Order order(Event write) {
            return orders.computeIfAbsent(write.id(), id -> new Order(write));
        }

        @Override
        public List<Sight> sights(Event read) {
            List<Event> seen = new ArrayList<>();
            List<Event> writes = program().writes(read.location());
            for (Event write : writes) {
                boolean hidden = happensBefore(read, write);
                for (Event other : writes) {
                    hidden |= other.id() != write.id()
                            && order(write).before(other)
                            && order(other).before(read);
                }
                if (!hidden) {
                    seen.add(write);
                }
            }
            boolean defined = seen.size() == 1 && order(seen.getFirst()).before(read);
            return seen.stream().map(write -> new Sight(write, defined)).toList();
        }
    }
}
