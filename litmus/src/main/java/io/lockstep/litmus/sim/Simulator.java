package io.lockstep.litmus.sim;

import io.lockstep.core.protocol.Home;
import io.lockstep.core.protocol.Placement;
import io.lockstep.core.protocol.Scope;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Runs the data path of a protocol on the machine, one call after another. What the steps order, happens in order; for
 * the rest the adversary throws dice: it delays stores, keeps lines in caches, and lets loads come late.
 */
final class Simulator {
    private static final int CALM_ODDS = 65536 / 400;
    private static final int WAVES = 8;

    /** A buffer on the machine, and how its lines travel. */
    private static final class Flow {
        final String name;
        final int copies;
        /** Whether a reader finds it in its own memory. */
        final boolean local;

        final Region[] regions;
        boolean pending;
        final int odds;

        Flow(String name, int copies, boolean local, int places) {
            this.name = name;
            this.copies = copies;
            this.local = local;
            this.regions = new Region[copies];
            for (int i = 0; i < copies; i++) {
                regions[i] = new Region(places);
            }
            // About one line in a thousand, and enough of them where there are few.
            this.odds = Math.clamp(65536L * 64 / Math.max(1, places), 64, 16384);
        }
    }

    private final Simulation simulation;
    private final Rows rows;
    private final Dice dice;
    private final Dice storms;
    private final List<Flow> flows = new ArrayList<>();
    private final boolean words;
    private boolean acts;

    Simulator(Simulation simulation) {
        this.simulation = simulation;
        this.dice = new Dice(Dice.mix(simulation.seed()));
        this.storms = new Dice(Dice.mix(simulation.seed() + 1));
        boolean sums = false;
        boolean sends = false;
        for (Step step : simulation.protocol().steps()) {
            sums |= step instanceof Step.WriteData write
                    && write.buffer().name().equals("sums");
            sends |= step instanceof Step.SendWords;
        }
        this.words = sends;
        this.rows = new Rows(simulation, sums);
        for (Step step : simulation.protocol().steps()) {
            if (step instanceof Step.WriteData write) {
                boolean compact = sums;
                int places = rows.lines() * simulation.devices() * (compact ? 1 : simulation.devices());
                flows.add(new Flow(write.buffer().name(), write.buffer().copies(), write.home() == Home.PEERS, places));
            }
        }
    }

    SimulationResult run() {
        long start = System.nanoTime();
        int firstBad = 0;
        int wrongIterations = 0;
        long wrongRows = 0;
        double worst = 0;
        for (int iteration = 1; iteration <= simulation.iterations(); iteration++) {
            acts = !simulation.calm() || storms.hits(CALM_ODDS);
            rows.begin(iteration);
            if (!words) {
                play(iteration);
            }
            long wrong = rows.wrong();
            if (wrong > 0 || simulation.full()) {
                worst = Math.max(worst, rows.worstError());
            }
            if (wrong > 0) {
                wrongRows += wrong;
                wrongIterations++;
                firstBad = firstBad == 0 ? iteration : firstBad;
            }
        }
        return new SimulationResult(
                simulation.protocol().name(),
                simulation.profile().label(),
                simulation.tokens(),
                simulation.hidden(),
                simulation.iterations(),
                wrongIterations,
                wrongRows,
                firstBad,
                worst,
                (System.nanoTime() - start) / 1e6 / simulation.iterations());
    }

    private void play(int iteration) {
        List<Step> steps = simulation.protocol().steps();
        List<Step> between = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            switch (steps.get(i)) {
                case Step.WriteData write -> {
                    barrier(between, iteration);
                    write(flow(write.buffer().name()), iteration);
                }
                case Step.ReadData read -> {
                    barrier(between, iteration);
                    read(flow(read.buffer().name()), iteration, undisturbed(i));
                }
                case Step.KernelBoundary boundary -> {
                    barrier(between, iteration);
                    if (boundary.always() || simulation.placement() == Placement.LATER_KERNEL) {
                        kernelBoundary(iteration);
                    }
                }
                default -> between.add(steps.get(i));
            }
        }
        barrier(between, iteration);
    }

    private Flow flow(String name) {
        return flows.stream().filter(flow -> flow.name.equals(name)).findFirst().orElseThrow();
    }

    private static Region region(Flow flow, int iteration) {
        return flow.regions[iteration % flow.copies];
    }

    /** Whether an arriving store takes a stale copy out of the reader's second-level cache. */
    private boolean probes(Flow flow) {
        return simulation.profile() == Profile.HOME_L2 || (simulation.profile() == Profile.GFX942 && flow.local);
    }

    private void write(Flow flow, int iteration) {
        Region region = region(flow, iteration);
        boolean probes = probes(flow);
        region.arriveAll(probes);
        flow.pending = true;
        int places = rows.places(flow.local);
        for (int place = 0; place < places; place++) {
            if (acts && dice.hits(flow.odds)) {
                // The reader's caches happen to fetch the line while it is still old.
                region.load(place, simulation.profile() != Profile.HOME_L2);
            }
            if (acts && dice.hits(flow.odds)) {
                region.delay(place, iteration);
            } else {
                region.arrive(place, iteration, probes);
            }
        }
    }

    /** What the flags between two data steps bring about. */
    private void barrier(List<Step> steps, int iteration) {
        if (steps.isEmpty()) {
            return;
        }
        BarrierFacts facts = BarrierFacts.of(steps);
        steps.clear();
        if (!facts.present()) {
            return;
        }
        for (Flow flow : flows) {
            if (flow.pending && facts.releasesSystem() && facts.releasesOthers()) {
                region(flow, iteration).arriveAll(probes(flow));
                flow.pending = false;
            }
            BarrierFacts.Reach reach = facts.acquires();
            boolean late = simulation.profile() == Profile.WEAKEST;
            boolean others = facts.acquiresOthers() || (facts.everyThreadAcquires() && !late);
            if (reach != BarrierFacts.Reach.NOTHING) {
                int places = rows.places(flow.local);
                for (Region region : flow.regions) {
                    for (int place = 0; place < places; place++) {
                        // The second-level cache is the whole device's; a thread that did not wait has read already.
                        region.forget(place, reach, others || place % WAVES == 0);
                    }
                }
            }
        }
    }

    private void kernelBoundary(int iteration) {
        boolean system = simulation.boundary() == Scope.SYSTEM;
        for (Flow flow : flows) {
            // The end of a kernel waits for its own stores. Only what is told after it profits from that.
            if (flow.pending && !flow.local && (system || simulation.profile() == Profile.HOME_L2)) {
                region(flow, iteration).arriveAll(probes(flow));
            }
            for (Region region : flow.regions) {
                region.forgetFirstLevel();
                if (system) {
                    region.forgetSecondLevel();
                }
            }
            int places = rows.places(flow.local);
            for (int place = 0; acts && flow.pending && place < places; place++) {
                if (dice.hits(flow.odds)) {
                    // The reader's kernel may start, and fetch the line, long before the store arrives.
                    region(flow, iteration).hold(place, Math.max(0, iteration - flow.copies));
                }
            }
        }
    }

    private void read(Flow flow, int iteration, boolean undisturbed) {
        Region region = region(flow, iteration);
        boolean caches = simulation.profile() != Profile.HOME_L2;
        int places = rows.places(flow.local);
        for (int place = 0; place < places; place++) {
            int version = region.load(place, caches);
            if (!acts || !dice.hits(flow.odds)) {
                region.evict(place);
            }
            if (acts && !undisturbed && dice.hits(flow.odds)) {
                version = iteration + flow.copies;
            }
            if (version != iteration) {
                rows.saw(flow.name.equals("input") && rows.twoShot(), place, version);
            }
        }
    }

    /**
     * Whether every way from a read to the next write of the same copy passes a barrier that holds the loads back. On
     * the weakest machine loads are still in flight when a flag goes out that no release stands before.
     */
    private boolean undisturbed(int read) {
        List<Step> steps = simulation.protocol().steps();
        Step.ReadData load = (Step.ReadData) steps.get(read);
        int writes = 0;
        List<Step> between = new ArrayList<>();
        for (int k = 1; k <= steps.size() * (load.buffer().copies() + 1); k++) {
            Step step = steps.get((read + k) % steps.size());
            boolean data = step instanceof Step.WriteData || step instanceof Step.ReadData;
            if (data || step instanceof Step.KernelBoundary) {
                BarrierFacts facts = BarrierFacts.of(between);
                boolean holds =
                        simulation.profile() != Profile.WEAKEST || (facts.releasesSystem() && facts.releasesOthers());
                if (facts.present() && holds) {
                    return true;
                }
                between.clear();
            } else {
                between.add(step);
            }
            if (step instanceof Step.WriteData write && write.buffer().equals(load.buffer())) {
                writes++;
                if (writes == load.buffer().copies()) {
                    return false;
                }
            }
        }
        return true;
    }

    /** The rows that saw a wrong line, one set for each device. */
    static BitSet[] sets(int devices) {
        BitSet[] sets = new BitSet[devices];
        for (int i = 0; i < devices; i++) {
            sets[i] = new BitSet();
        }
        return sets;
    }
}
