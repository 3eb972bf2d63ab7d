package io.lockstep.litmus.sim;

import io.lockstep.litmus.sim.Simulation.Watcher;
import org.jspecify.annotations.Nullable;

/**
 * Lets the devices of a machine go through their protocol step by step. They take turns, and now and then the adversary
 * stalls one until every other has to wait for it.
 */
final class Simulator {
    private static final double STALL = 1.0 / 256;
    /** A device whose loads are still out is worth stalling: the others may overwrite what it reads. */
    private static final double STALL_READER = 0.5;

    private final Simulation simulation;
    private final Watcher watcher;
    private final Dice dice;
    private final Rows rows;
    private final Machine machine;
    private final long start = System.nanoTime();
    private @Nullable Device stalled;

    private int evaluated;
    private int wrongIterations;
    private long wrongRows;
    private double worst;
    private SimulationResult.@Nullable FirstBad firstBad;
    private @Nullable String hung;

    Simulator(Simulation simulation, Watcher watcher) {
        this.simulation = simulation;
        this.watcher = watcher;
        dice = new Dice(simulation.seed());
        rows = new Rows(simulation);
        machine = new Machine(simulation, rows, dice);
    }

    SimulationResult run() {
        boolean goOn = true;
        while (goOn && evaluated < simulation.iterations() && hung == null) {
            turn();
            goOn = evaluate();
        }
        return new SimulationResult(
                simulation.protocol().name(),
                simulation.profile().label(),
                simulation.tokens(),
                simulation.hidden(),
                evaluated,
                wrongIterations,
                wrongRows,
                firstBad,
                hung,
                worst,
                (System.nanoTime() - start) / 1e6 / Math.max(1, evaluated));
    }

    /** Every device does a step if it can. */
    private void turn() {
        boolean moved = false;
        for (Device device : machine.devices()) {
            if (device == stalled || device.iteration > simulation.iterations() || !machine.advance(device)) {
                continue;
            }
            moved = true;
            if (device.iteration > simulation.iterations()) {
                machine.bindAll(device);
            } else if (stalled == null
                    && simulation.storm(device.iteration)
                    && dice.hits(device.loads.isEmpty() ? STALL : STALL_READER)) {
                stalled = device;
            }
        }
        if (moved) {
            return;
        }
        if (stalled != null) {
            stalled = null;
        } else if (!machine.deliverAwaited()) {
            hang();
        }
    }

    private void hang() {
        Device first = machine.devices().stream()
                .filter(device -> device.iteration <= simulation.iterations())
                .min(java.util.Comparator.comparing((Device device) -> device.arrivals == null)
                        .thenComparingInt(device -> device.iteration)
                        .thenComparingInt(device -> device.number))
                .orElseThrow();
        hung = machine.describeWait(first);
        if (firstBad == null) {
            firstBad = new SimulationResult.FirstBad(first.iteration - 1, first.number, machine.missingRow(first));
        }
    }

    /** Looks at the calls that every device is done with; gives false if the watcher has seen enough. */
    private boolean evaluate() {
        int done = machine.devices().stream().mapToInt(Device::unfinished).min().orElse(0) - 1;
        while (evaluated < done) {
            Rows.Outcome outcome = rows.outcome(++evaluated);
            worst = Math.max(worst, outcome.maxAbsError());
            wrongRows += outcome.wrongRows();
            wrongIterations += outcome.wrongRows() > 0 ? 1 : 0;
            firstBad = firstBad == null ? outcome.firstBad() : firstBad;
            if (!watcher.goOn(evaluated, firstBad != null)) {
                return false;
            }
        }
        return true;
    }
}
