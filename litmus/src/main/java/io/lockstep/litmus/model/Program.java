package io.lockstep.litmus.model;

import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Scope;
import io.lockstep.litmus.model.Event.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** A finite program with its branches taken: threads, events in program order, and what the machine adds between. */
public final class Program {
    /**
     * A thread.
     *
     * @param name for people
     * @param device which device
     * @param workgroup which work-group, numbered across devices
     * @param kernel which kernel of its stream, numbered across devices
     */
    public record Strand(String name, int device, int workgroup, int kernel) {}

    private final List<Strand> threads;
    private final List<Event> events;
    private final List<String> locations;
    private final List<List<Event>> writes;
    private final List<List<Event>> accesses;
    private final List<Event> reads;
    private final Relation programOrder;
    private final Relation dependency;
    private final Map<Integer, Integer> nextKernel;
    private final Scope boundary;

    private Program(Builder builder) {
        threads = List.copyOf(builder.threads);
        events = List.copyOf(builder.events);
        locations = List.copyOf(builder.locations);
        nextKernel = Map.copyOf(builder.nextKernel);
        boundary = builder.boundary;
        writes = new ArrayList<>();
        accesses = new ArrayList<>();
        for (int i = 0; i < locations.size(); i++) {
            writes.add(new ArrayList<>());
            accesses.add(new ArrayList<>());
        }
        reads = new ArrayList<>();
        programOrder = new Relation(events.size());
        dependency = new Relation(events.size());
        int[] last = new int[threads.size()];
        java.util.Arrays.fill(last, -1);
        for (Event event : events) {
            if (event.isWrite()) {
                writes.get(event.location()).add(event);
            }
            if (event.isAccess()) {
                accesses.get(event.location()).add(event);
            }
            if (event.isRead()) {
                reads.add(event);
            }
            if (event.kind() != Kind.INITIAL) {
                int before = last[event.thread()];
                if (before >= 0) {
                    programOrder.addClosed(before, event.id());
                }
                last[event.thread()] = event.id();
            }
        }
        for (int[] pair : builder.dependencies) {
            dependency.addClosed(pair[0], pair[1]);
        }
    }

    /** The same program with every event replaced; for controls that plant a fault in a checker's view. */
    public Program seenThrough(UnaryOperator<Event> fault) {
        Builder builder = new Builder();
        builder.boundary = boundary;
        builder.threads.addAll(threads);
        builder.locations.addAll(locations);
        builder.nextKernel.putAll(nextKernel);
        events.forEach(event -> builder.events.add(fault.apply(event)));
        for (int from = 0; from < events.size(); from++) {
            int read = from;
            dependency.forEach(from, to -> builder.dependencies.add(new int[] {read, to}));
        }
        return new Program(builder);
    }

    /** The threads. */
    public List<Strand> threads() {
        return threads;
    }

    /** All events by number, the initial writes first. */
    public List<Event> events() {
        return events;
    }

    /** One event. */
    public Event event(int id) {
        return events.get(id);
    }

    /** The names of the locations. */
    public List<String> locations() {
        return locations;
    }

    /** The writes of a location, the initial one first. */
    public List<Event> writes(int location) {
        return writes.get(location);
    }

    /** The accesses of a location. */
    public List<Event> accesses(int location) {
        return accesses.get(location);
    }

    /** Every read. */
    public List<Event> reads() {
        return reads;
    }

    /** Program order, transitive. */
    public Relation programOrder() {
        return programOrder;
    }

    /** Data, address and control dependency, transitive. */
    public Relation dependency() {
        return dependency;
    }

    /** The scope of the fences that a kernel boundary implies where a model gives it one. */
    public Scope boundary() {
        return boundary;
    }

    /** Whether a scope around an event's thread holds another event's thread. Initial writes are in every scope. */
    public boolean includes(Scope scope, Event around, Event other) {
        if (around.kind() == Kind.INITIAL || other.kind() == Kind.INITIAL) {
            return true;
        }
        Strand a = threads.get(around.thread());
        Strand b = threads.get(other.thread());
        return switch (scope) {
            case SYSTEM -> true;
            case DEVICE -> a.device() == b.device();
            case WORKGROUP -> a.workgroup() == b.workgroup();
        };
    }

    /** Whether each event's scope holds the other. */
    public boolean inclusive(Event a, Event b) {
        return includes(a.scope(), a, b) && includes(b.scope(), b, a);
    }

    /** Whether both belong to the same thread. */
    public boolean sameThread(Event a, Event b) {
        return a.kind() != Kind.INITIAL && b.kind() != Kind.INITIAL && a.thread() == b.thread();
    }

    /** Whether two barrier events meet, the first one being waited for by the second. */
    public boolean meets(Event arrival, Event wait) {
        return arrival.id() != wait.id()
                && (arrival.kind() == Kind.BARRIER || arrival.kind() == Kind.ARRIVE)
                && wait.kind() == Kind.BARRIER
                && arrival.instance() == wait.instance()
                && threads.get(arrival.thread()).workgroup()
                        == threads.get(wait.thread()).workgroup();
    }

    /** Whether two events meet in a barrier that orders local memory only. */
    public boolean meetsLocally(Event arrival, Event wait) {
        return arrival.id() != wait.id()
                && arrival.kind() == Kind.LOCAL_BARRIER
                && wait.kind() == Kind.LOCAL_BARRIER
                && arrival.instance() == wait.instance()
                && threads.get(arrival.thread()).workgroup()
                        == threads.get(wait.thread()).workgroup();
    }

    /** Whether one event ends a kernel and the other starts the next one of the stream. */
    public boolean crossesBoundary(Event end, Event start) {
        return end.kind() == Kind.KERNEL_END
                && start.kind() == Kind.KERNEL_START
                && nextKernel.getOrDefault(threads.get(end.thread()).kernel(), -1)
                        == threads.get(start.thread()).kernel();
    }

    /** A few words that place an event: its thread and its text. */
    public String describe(Event event) {
        return event.kind() == Kind.INITIAL
                ? event.text()
                : "[" + event.id() + "] " + threads.get(event.thread()).name() + ": " + event.text();
    }

    /** Puts a program together, thread by thread. */
    public static final class Builder {
        private final List<Strand> threads = new ArrayList<>();
        private final List<Event> events = new ArrayList<>();
        private final List<String> locations = new ArrayList<>();
        private final Map<String, Integer> locationNumbers = new HashMap<>();
        private final Map<Integer, Integer> nextKernel = new HashMap<>();
        private final List<int[]> dependencies = new ArrayList<>();
        private Scope boundary = Scope.DEVICE;

        /** The scope of the fences at a kernel boundary. */
        public Builder boundary(Scope scope) {
            boundary = scope;
            return this;
        }

        /**
         * A location with its initial value.
         *
         * @return its number
         */
        public int location(String name, long initial) {
            Integer known = locationNumbers.get(name);
            if (known != null) {
                return known;
            }
            int number = locations.size();
            locations.add(name);
            locationNumbers.put(name, number);
            add(-1, Kind.INITIAL, Order.RELAXED, Scope.SYSTEM, number, initial, "initial value of " + name);
            return number;
        }

        /** A thread; gives its number. */
        public int thread(Strand thread) {
            threads.add(thread);
            return threads.size() - 1;
        }

        /** One kernel follows another on its stream. */
        public void follows(int kernel, int next) {
            nextKernel.put(kernel, next);
        }

        /** A store. */
        public int write(int thread, Order order, Scope scope, int location, long value, String text) {
            return add(thread, Kind.WRITE, order, scope, location, value, text);
        }

        /** A load whose value decides how the program goes on. */
        public int read(int thread, Order order, Scope scope, int location, Values accepts, String text) {
            return push(new Event(
                    events.size(),
                    thread,
                    Kind.READ,
                    order,
                    scope,
                    location,
                    0,
                    accepts,
                    0,
                    false,
                    -1,
                    -1,
                    true,
                    text));
        }

        /** A load of which a promise says what it returns. */
        public int judgedRead(
                int thread, Order order, Scope scope, int location, Values accepts, long expected, String text) {
            return push(new Event(
                    events.size(),
                    thread,
                    Kind.READ,
                    order,
                    scope,
                    location,
                    0,
                    accepts,
                    expected,
                    true,
                    -1,
                    -1,
                    true,
                    text));
        }

        /** An atomic read-modify-write; gives the number of its read, and its write is the next one. */
        public int readModifyWrite(
                int thread, Order order, Scope scope, int location, Values accepts, long value, String text) {
            int read = events.size();
            push(new Event(
                    read, thread, Kind.READ, order, scope, location, 0, accepts, 0, false, read + 1, -1, true, text));
            push(new Event(
                    read + 1,
                    thread,
                    Kind.WRITE,
                    order,
                    scope,
                    location,
                    value,
                    Values.ANY,
                    0,
                    false,
                    read,
                    -1,
                    true,
                    text));
            return read;
        }

        /** A fence. */
        public int fence(int thread, Order order, Scope scope, boolean makesAvailable, String text) {
            return push(new Event(
                    events.size(),
                    thread,
                    Kind.FENCE,
                    order,
                    scope,
                    -1,
                    0,
                    Values.ANY,
                    0,
                    false,
                    -1,
                    -1,
                    makesAvailable,
                    text));
        }

        /** A barrier of the work-group: full, local, or an arrival only. */
        public int barrier(int thread, Kind kind, int instance, String text) {
            return push(new Event(
                    events.size(),
                    thread,
                    kind,
                    Order.RELAXED,
                    Scope.WORKGROUP,
                    -1,
                    0,
                    Values.ANY,
                    0,
                    false,
                    -1,
                    instance,
                    true,
                    text));
        }

        /** The start or the end of a thread's kernel. */
        public int kernel(int thread, Kind kind) {
            return add(
                    thread,
                    kind,
                    Order.RELAXED,
                    boundary,
                    -1,
                    0,
                    kind == Kind.KERNEL_END ? "end of kernel" : "start of kernel");
        }

        /** The second event depends on the value that the first one read. */
        public void depends(int read, int on) {
            dependencies.add(new int[] {read, on});
        }

        /** How many events there are so far. */
        public int size() {
            return events.size();
        }

        /** The program. */
        public Program build() {
            return new Program(this);
        }

        private int add(int thread, Kind kind, Order order, Scope scope, int location, long value, String text) {
            return push(new Event(
                    events.size(),
                    thread,
                    kind,
                    order,
                    scope,
                    location,
                    value,
                    Values.ANY,
                    0,
                    false,
                    -1,
                    -1,
                    true,
                    text));
        }

        private int push(Event event) {
            events.add(event);
            return event.id();
        }
    }
}
