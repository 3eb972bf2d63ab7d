package io.lockstep.litmus.sim;

import io.lockstep.core.protocol.Placement;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Scope;

/**
 * What to run.
 *
 * @param protocol the protocol; GPU protocols only
 * @param profile the machine
 * @param placement whether the kernel boundaries that may be left out are there
 * @param boundary the scope of the fences at a kernel boundary
 * @param devices how many devices, 2 to 8
 * @param tokens rows
 * @param hidden elements of a row
 * @param iterations how many calls, each with fresh inputs
 * @param seed of the adversary and of the inputs
 * @param calm an adversary that acts in one call of about four hundred only
 * @param full compute the numbers of every row, not only of those that saw a wrong line
 */
public record Simulation(
        Protocol protocol,
        Profile profile,
        Placement placement,
        Scope boundary,
        int devices,
        int tokens,
        int hidden,
        int iterations,
        long seed,
        boolean calm,
        boolean full) {

    private static final int CALM_ODDS = 400;

    /** Refuses what cannot be run. */
    public Simulation {
        if (protocol.isCpu()) {
            throw new IllegalArgumentException(
                    "The simulator runs GPU protocols; " + protocol.name() + " runs on CPU ranks.");
        }
        if (devices < 2 || devices > 8 || tokens < 1 || hidden < 1 || iterations < 1) {
            throw new IllegalArgumentException("The simulator needs 2 to 8 devices and at least one token, element and"
                    + " iteration, not " + devices + " devices, (" + tokens + ", " + hidden + ") and " + iterations
                    + " iterations.");
        }
        if (!protocol.allows(placement)) {
            throw new IllegalArgumentException(
                    "The protocol " + protocol.name() + " does not run with " + placement.label() + ".");
        }
    }

    /** On the weakest machine, in one kernel where the protocol allows it. */
    public static Simulation of(Protocol protocol, int devices, int tokens, int hidden, int iterations, long seed) {
        Placement placement = protocol.allows(Placement.SAME_KERNEL) ? Placement.SAME_KERNEL : Placement.LATER_KERNEL;
        return new Simulation(
                protocol,
                Profile.WEAKEST,
                placement,
                Scope.DEVICE,
                devices,
                tokens,
                hidden,
                iterations,
                seed,
                false,
                false);
    }

    /** Looks on while a simulation runs. */
    @FunctionalInterface
    public interface Watcher {
        /**
         * Called after every iteration.
         *
         * @param iterations how many are done
         * @param wrong whether any row of any of them was wrong
         * @return whether to go on
         */
        boolean goOn(int iterations, boolean wrong);
    }

    /** The same with a calm adversary or an eager one. */
    public Simulation withCalm(boolean other) {
        return new Simulation(
                protocol, profile, placement, boundary, devices, tokens, hidden, iterations, seed, other, full);
    }

    /** The same, computing every row or only those that saw a wrong line. */
    public Simulation withFull(boolean other) {
        return new Simulation(
                protocol, profile, placement, boundary, devices, tokens, hidden, iterations, seed, calm, other);
    }

    /** The same on another machine. */
    public Simulation on(Profile other) {
        return on(other, placement, boundary);
    }

    /** The same on another machine, with kernel boundaries elsewhere or of another scope. */
    public Simulation on(Profile other, Placement otherPlacement, Scope otherBoundary) {
        return new Simulation(
                protocol, other, otherPlacement, otherBoundary, devices, tokens, hidden, iterations, seed, calm, full);
    }

    /** Whether the adversary acts in a call: always, or if it is calm in one of about four hundred. */
    boolean storm(int iteration) {
        return !calm || Long.remainderUnsigned(Dice.mix(Dice.mix(seed) + iteration), CALM_ODDS) == 0;
    }

    /** Runs it to its end. */
    public SimulationResult run() {
        return run((done, wrong) -> true);
    }

    /** Runs it until its end, or until the watcher has seen enough. */
    public SimulationResult run(Watcher watcher) {
        return new Simulator(this, watcher).run();
    }
}
