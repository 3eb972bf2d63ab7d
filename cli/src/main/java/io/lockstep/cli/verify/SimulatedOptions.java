package io.lockstep.cli.verify;

import io.lockstep.cli.inputs.Shape;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.litmus.sim.Profile;
import java.time.Duration;
import java.util.List;

/**
 * What is to be verified on a simulated machine.
 *
 * @param protocol how the devices order their accesses
 * @param machine how little it does of its own accord
 * @param worldSize the number of devices
 * @param shapes in the order given
 * @param seed of the adversary and of the inputs
 * @param iterations of each shape; 0 for as many as the budget allows, ending at the first wrong one
 * @param budget how long all shapes may take together, where no iterations are given
 * @param calm whether the adversary acts in few calls only
 * @param full whether every row is computed
 */
public record SimulatedOptions(
        Protocol protocol,
        Profile machine,
        int worldSize,
        List<Shape> shapes,
        long seed,
        int iterations,
        Duration budget,
        boolean calm,
        boolean full) {}
