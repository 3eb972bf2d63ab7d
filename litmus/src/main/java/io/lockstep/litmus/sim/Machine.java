package io.lockstep.litmus.sim;

import io.lockstep.core.protocol.Buffer;
import io.lockstep.core.protocol.Home;
import io.lockstep.core.protocol.Placement;
import io.lockstep.core.protocol.Role;
import io.lockstep.core.protocol.Scope;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The devices, their memory and what lies between: stores and loads in flight, first-level caches of waves, a
 * second-level cache of each device. A step of the protocol does what the machine does for it, and no more; the rest is
 * the adversary's.
 */
final class Machine {
    /** One line of so many is handled by the wave that polls. */
    private static final int WAVES = 8;

    /** How likely a store in flight arrives while its device does a step. */
    private static final double ARRIVES = 1.0 / 16;

    private static final List<Integer> BOTH = List.of(Device.POLLING, Device.OTHER);

    private final Simulation simulation;
    private final Dice dice;
    private final Rows rows;
    private final List<Device> devices = new ArrayList<>();
    /** The last epoch told, by buffer, receiver and sender. */
    private final Map<String, int[][]> flags = new HashMap<>();

    private final Memory memory;

    Machine(Simulation simulation, Rows rows, Dice dice) {
        this.simulation = simulation;
        this.rows = rows;
        this.dice = dice;
        for (int i = 0; i < simulation.devices(); i++) {
            devices.add(new Device(i));
        }
        this.memory = new Memory(simulation, rows);
    }

    List<Device> devices() {
        return devices;
    }

    private double odds(Copy copy) {
        // About one line in four thousand, and enough of them where there are few.
        return Math.clamp(64.0 / copy.routes().places(), 1.0 / 4096, 0.25);
    }

    private boolean weakest() {
        return simulation.profile() == Profile.WEAKEST;
    }

    private static int wave(int line) {
        return line % WAVES == WAVES - 1 ? Device.POLLING : Device.OTHER;
    }

    private static List<Integer> waves(Role role) {
        return switch (role) {
            case ALL -> BOTH;
            case POLLERS -> List.of(Device.POLLING);
            case OTHERS, REARMERS -> List.of(Device.OTHER);
        };
    }

    private boolean acts(Device device) {
        return simulation.storm(device.iteration);
    }

    /** Does a device's next step; gives false if it has to wait. */
    boolean advance(Device device) {
        Step step = simulation.protocol().steps().get(device.step);
        // Only the weakest machine goes on while loads are out, and not past a store that needs their values.
        if (!weakest() || step instanceof Step.WriteData || step instanceof Step.SendWords) {
            bindAll(device);
        }
        if (!perform(device, step)) {
            return false;
        }
        deliverSome(device);
        if (++device.step == simulation.protocol().steps().size()) {
            device.step = 0;
            device.iteration++;
            memory.tidy();
        }
        return true;
    }

    private boolean perform(Device device, Step step) {
        int iteration = device.iteration;
        switch (step) {
            case Step.WriteData write ->
                write(device, memory.copy(write.buffer(), iteration), write.home() == Home.OWN);
            case Step.SendWords send -> write(device, memory.copy(send.words(), iteration), false);
            case Step.ReadData read -> read(device, memory.copy(read.buffer(), iteration));
            case Step.ReceiveWords receive -> {
                return receive(device, memory.copy(receive.words(), iteration));
            }
            case Step.RearmWords rearm -> {
                int earlier = rearm.epoch().of(iteration);
                if (earlier >= 1) {
                    rearm(device, memory.copy(rearm.words(), earlier));
                }
            }
            // Every rank of a simulation makes the same calls: there is nothing for a header to refuse.
            case Step.SendHeader send -> {}
            case Step.CheckHeader check -> {}
            case Step.WorkgroupBarrier barrier -> {
                if (barrier.reach() == Step.Reach.FULL) {
                    barrier(device);
                }
            }
            case Step.Fence fence -> {
                for (int wave : waves(fence.role())) {
                    if (fence.order().releases()) {
                        release(device, wave, fence.scope(), fence.makesAvailable());
                    }
                    if (fence.order().acquires() && fence.makesAvailable()) {
                        acquire(device, wave, fence.scope());
                    }
                }
            }
            case Step.StoreFlag store -> {
                int epoch = store.epoch().of(iteration);
                for (int wave : waves(store.role())) {
                    if (store.order().releases()) {
                        release(device, wave, store.scope(), true);
                    }
                }
                for (Device peer : devices) {
                    int[][] told = told(store.flags());
                    told[peer.number][device.number] = Math.max(told[peer.number][device.number], epoch);
                }
            }
            case Step.AwaitFlag await -> {
                int epoch = await.epoch().of(iteration);
                for (Device peer : devices) {
                    if (peer != device && told(await.flags())[device.number][peer.number] < epoch) {
                        return false;
                    }
                }
                for (int wave : waves(await.role())) {
                    device.observed[wave] = true;
                    if (await.order().acquires()) {
                        acquire(device, wave, await.scope());
                    }
                }
            }
            case Step.KernelBoundary boundary -> {
                if (boundary.always() || simulation.placement() == Placement.LATER_KERNEL) {
                    kernelBoundary(device);
                }
            }
        }
        return true;
    }

    private int[][] told(Buffer buffer) {
        return flags.computeIfAbsent(buffer.name(), name -> new int[devices.size()][devices.size()]);
    }

    /** Stores this call's version into every line that the device writes. */
    private void write(Device device, Copy copy, boolean own) {
        Routes routes = copy.routes();
        forgetStores(device, copy, false);
        Set<Integer> late = new HashSet<>();
        if (acts(device)) {
            if (!memory.isWords(copy)) {
                dice.hits(routes.writes(device.number), odds(copy), index -> {
                    // The reader's caches happen to fetch the line while it is still old.
                    int place = routes.written(device.number, index);
                    if (routes.reader(place) != device.number) {
                        copy.line(place).keep(wave(routes.line(place)), memory.cachesPeers());
                    }
                });
            }
            dice.hits(routes.writes(device.number), odds(copy), index -> {
                int place = routes.written(device.number, index);
                if (!late.contains(place)) {
                    delay(device, copy, own ? routes.shared(place) : new int[] {place}, device.iteration, late);
                }
            });
        }
        for (Copy.Line line : copy.lines()) {
            if (routes.writer(line.place) == device.number && !late.contains(line.place)) {
                memory.arrive(copy, line, device.iteration);
            }
        }
        for (Device reader : devices) {
            copy.setPlain(device.number, reader.number, device.iteration);
        }
    }

    /** Puts the reserved pattern back into every line of words that the device has received. */
    private void rearm(Device device, Copy copy) {
        Routes routes = copy.routes();
        forgetStores(device, copy, true);
        Set<Integer> late = new HashSet<>();
        if (acts(device)) {
            dice.hits(
                    routes.reads(device.number),
                    odds(copy),
                    index -> delay(device, copy, new int[] {routes.read(device.number, index)}, Copy.ARMED, late));
        }
        for (Copy.Line line : copy.lines()) {
            if (routes.reader(line.place) == device.number && !late.contains(line.place)) {
                memory.arrive(copy, line, Copy.ARMED);
            }
        }
        for (Device writer : devices) {
            copy.setPlain(writer.number, device.number, Copy.ARMED);
        }
    }

    private void delay(Device device, Copy copy, int[] places, int version, Set<Integer> late) {
        for (int place : places) {
            copy.line(place).inFlight++;
            late.add(place);
        }
        int wave = memory.isWords(copy) ? Device.OTHER : wave(copy.routes().line(places[0]));
        device.stores.add(new Device.Store(copy, places, version, wave));
    }

    /** A store to a line that the same device stores to again is never seen after the newer one. */
    private void forgetStores(Device device, Copy copy, boolean rearming) {
        device.stores.removeIf(store -> {
            boolean older = store.copy == copy && (store.version == Copy.ARMED) == rearming;
            if (older) {
                for (int place : store.places) {
                    copy.line(place).inFlight--;
                }
            }
            return older;
        });
    }

    private void deliver(Device.Store store) {
        for (int place : store.places) {
            Copy.Line line = store.copy.line(place);
            line.inFlight--;
            memory.arrive(store.copy, line, store.version);
        }
    }

    /** In the end every store arrives; some take long. */
    private void deliverSome(Device device) {
        device.stores.removeIf(store -> {
            boolean now = dice.hits(ARRIVES);
            if (now) {
                deliver(store);
            }
            return now;
        });
    }

    /** What somebody may be waiting for arrives, and else whatever is in flight; gives false if nothing was. */
    boolean deliverAwaited() {
        return deliver(store -> store.version != Copy.ARMED) || deliver(store -> true);
    }

    private boolean deliver(Predicate<Device.Store> which) {
        boolean any = false;
        for (Device device : devices) {
            any |= device.stores.removeIf(store -> {
                if (which.test(store)) {
                    deliver(store);
                    return true;
                }
                return false;
            });
        }
        return any;
    }

    private void read(Device device, Copy copy) {
        Routes routes = copy.routes();
        Set<Integer> late = new HashSet<>();
        Set<Integer> kept = new HashSet<>();
        if (acts(device)) {
            dice.hits(routes.reads(device.number), odds(copy), index -> late.add(routes.read(device.number, index)));
            dice.hits(routes.reads(device.number), odds(copy), index -> kept.add(routes.read(device.number, index)));
        }
        late.removeIf(place -> routes.writer(place) == device.number);
        kept.removeIf(place -> routes.writer(place) == device.number || late.contains(place));
        for (Device writer : devices) {
            if (writer != device) {
                sawPlain(device, copy, writer.number, late);
            }
        }
        for (Copy.Line line : copy.lines()) {
            if (routes.reader(line.place) == device.number
                    && routes.writer(line.place) != device.number
                    && !late.contains(line.place)) {
                saw(copy, line.place, device.iteration, line.load(wave(routes.line(line.place))));
                if (!kept.contains(line.place)) {
                    line.evict();
                }
            }
        }
        for (int place : kept) {
            copy.line(place).keep(wave(routes.line(place)), memory.cachesPeers());
        }
        for (int place : late) {
            device.loads.add(new Device.Load(copy, place, device.iteration, wave(routes.line(place))));
        }
    }

    /** What a device sees of those lines of one writer that are not kept by themselves. */
    private void sawPlain(Device device, Copy copy, int writer, Set<Integer> except) {
        Routes routes = copy.routes();
        int version = copy.plain(writer, device.number);
        if (version == device.iteration) {
            return;
        }
        for (int index = 0; index < routes.reads(device.number); index++) {
            int place = routes.read(device.number, index);
            if (routes.writer(place) == writer && !copy.has(place) && !except.contains(place)) {
                saw(copy, place, device.iteration, version);
            }
        }
    }

    private void saw(Copy copy, int place, int iteration, int version) {
        if (version != iteration) {
            Routes routes = copy.routes();
            rows.saw(routes, iteration, routes.reader(place), routes.writer(place), routes.line(place), version);
        }
    }

    private void bind(Device.Load load) {
        saw(load.copy, load.place, load.iteration, load.copy.line(load.place).load(load.wave));
    }

    /** The values of all loads in flight are there. */
    void bindAll(Device device) {
        device.loads.forEach(this::bind);
        device.loads.clear();
    }

    /** Polls the words of a step once; gives false while one of them is missing. */
    private boolean receive(Device device, Copy copy) {
        Routes routes = copy.routes();
        Device.Arrivals arrivals = device.arrivals;
        if (arrivals == null) {
            arrivals = new Device.Arrivals(devices.size());
            device.arrivals = arrivals;
        }
        Device.Arrivals known = arrivals;
        known.missing.removeIf(place -> taken(copy, copy.line(place), device.iteration));
        for (Copy.Line line : copy.lines()) {
            int writer = routes.writer(line.place);
            if (routes.reader(line.place) == device.number
                    && writer != device.number
                    && !known.fromWriter[writer]
                    && !known.early.contains(line.place)
                    && taken(copy, line, device.iteration)) {
                known.early.add(line.place);
            }
        }
        boolean all = known.missing.isEmpty();
        for (Device writer : devices) {
            if (writer == device || known.fromWriter[writer.number]) {
                continue;
            }
            if (copy.plain(writer.number, device.number) == Copy.ARMED) {
                all = false;
                continue;
            }
            known.fromWriter[writer.number] = true;
            for (Copy.Line line : copy.lines()) {
                if (routes.reader(line.place) == device.number
                        && routes.writer(line.place) == writer.number
                        && !known.early.contains(line.place)) {
                    known.missing.add(line.place);
                    all = false;
                }
            }
            sawPlain(device, copy, writer.number, Set.of());
        }
        if (all) {
            device.arrivals = null;
        }
        return all;
    }

    private boolean taken(Copy copy, Copy.Line line, int iteration) {
        if (line.home == Copy.ARMED) {
            return false;
        }
        saw(copy, line.place, iteration, line.home);
        return true;
    }

    /** A full barrier: what a wave did before it is done before what another does after it. */
    private void barrier(Device device) {
        cover(device);
        if (weakest()) {
            // Its waves have caches of their own: meeting is what empties them.
            memory.dropFirstLevel(device, BOTH);
        }
    }

    private static void cover(Device device) {
        device.stores.forEach(store -> store.covered = true);
        device.loads.forEach(load -> load.covered = true);
    }

    private void release(Device device, int wave, Scope scope, boolean makesAvailable) {
        if (scope != Scope.SYSTEM) {
            return;
        }
        device.loads.removeIf(load -> {
            boolean before = load.wave == wave || load.covered;
            if (before) {
                bind(load);
            }
            return before;
        });
        if (makesAvailable) {
            device.stores.removeIf(store -> {
                boolean before = store.wave == wave || store.covered;
                if (before) {
                    deliver(store);
                }
                return before;
            });
        }
    }

    private void acquire(Device device, int wave, Scope scope) {
        // The weakest machine orders nothing for a wave that has read no flag: its loads may long be done.
        if (scope == Scope.WORKGROUP || (weakest() && !device.observed[wave])) {
            return;
        }
        if (weakest() && scope == Scope.SYSTEM) {
            // The other wave may have loaded from the second level just before; only a barrier comes between.
            memory.keepFirstLevel(device, 1 - wave);
        }
        memory.dropFirstLevel(device, weakest() ? List.of(wave) : BOTH);
        if (scope == Scope.SYSTEM) {
            memory.dropSecondLevel(device);
        }
    }

    private void kernelBoundary(Device device) {
        boolean system = simulation.boundary() == Scope.SYSTEM;
        bindAll(device);
        cover(device);
        if (system || !memory.cachesPeers()) {
            // The end of a kernel waits for its own stores. Only what is told after it profits from that.
            device.stores.forEach(this::deliver);
            device.stores.clear();
        }
        memory.dropFirstLevel(device, BOTH);
        if (system) {
            memory.dropSecondLevel(device);
        }
        java.util.Arrays.fill(device.observed, false);
    }

    /** The first row of which a device misses words, or 0. */
    int missingRow(Device device) {
        Device.Arrivals arrivals = device.arrivals;
        Step step = simulation.protocol().steps().get(device.step);
        if (arrivals == null || arrivals.missing.isEmpty() || !(step instanceof Step.ReceiveWords receive)) {
            return 0;
        }
        Routes routes = rows.routes(receive.words());
        return arrivals.missing.stream()
                .mapToInt(place -> routes.line(place) / routes.linesOfRow())
                .min()
                .orElse(0);
    }

    /** What a device waits for, in words. */
    String describeWait(Device device) {
        Step step = simulation.protocol().steps().get(device.step);
        String who = "rank " + device.number + " waits for ever in iteration " + (device.iteration - 1);
        return switch (step) {
            case Step.ReceiveWords receive ->
                who + " for words of row " + missingRow(device) + " in "
                        + receive.words().name() + ", which re-arming has overwritten";
            case Step.AwaitFlag await -> who + " for the flag " + await.flags().name();
            default -> who;
        };
    }
}
