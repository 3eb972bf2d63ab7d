package io.lockstep.cli;

import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.litmus.sim.Simulation;
import io.lockstep.litmus.sim.SimulationResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** {@code lockstep verify --backend sim}: runs a protocol on the simulated machine, shape by shape. */
final class SimVerify {
    /** A shape: rows and elements of a row. */
    record Shape(int tokens, int hidden) {}

    /**
     * What to run.
     *
     * @param protocol the protocol's name
     * @param worldSize how many devices, 2 to 8
     * @param seed of the adversary and of the inputs
     * @param iterations how many calls for each shape
     * @param full compute every row, not only those that saw a wrong line
     * @param calm an adversary that acts in one call of about four hundred only
     * @param shapes the shapes
     */
    record Request(
            String protocol, int worldSize, long seed, int iterations, boolean full, boolean calm, List<Shape> shapes) {
        Request {
            shapes = List.copyOf(shapes);
        }
    }

    /** One row of the table for each shape. */
    record Outcome(List<SimulationResult> results) {
        Outcome {
            results = List.copyOf(results);
        }

        /** 0 if every row of every call was right, 1 if any was wrong. */
        int exitCode() {
            return results.stream().allMatch(SimulationResult::right) ? 0 : 1;
        }

        /** The cells of the table, the heading first. */
        List<List<String>> table() {
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of(
                    "shape", "protocol", "machine", "iterations", "wrong rows", "max_abs_err", "first_bad", "verdict"));
            for (SimulationResult result : results) {
                rows.add(List.of(
                        "(" + result.tokens() + ", " + result.hidden() + ")",
                        result.protocol(),
                        result.profile(),
                        Integer.toString(result.iterations()),
                        Long.toString(result.wrongRows()),
                        result.right() ? "0" : String.format(Locale.ROOT, "%.3g", result.maxAbsError()),
                        result.right() ? "-" : Integer.toString(result.firstBad()),
                        result.right() ? "right" : "WRONG"));
            }
            return rows;
        }
    }

    private SimVerify() {}

    /**
     * Runs every shape and tells of each as it is done.
     *
     * @throws IllegalArgumentException if the protocol is unknown or cannot be simulated, with a sentence for the user
     */
    static Outcome run(Request request, Consumer<SimulationResult> progress) {
        Protocol protocol = Protocols.named(request.protocol())
                .orElseThrow(() -> new IllegalArgumentException(
                        "There is no protocol '" + request.protocol() + "' to simulate. There are: "
                                + Protocols.all().stream()
                                        .filter(known -> !known.isCpu())
                                        .map(Protocol::name)
                                        .collect(Collectors.joining(", "))
                                + "."));
        List<SimulationResult> results = new ArrayList<>();
        for (Shape shape : request.shapes()) {
            SimulationResult result = Simulation.of(
                            protocol,
                            request.worldSize(),
                            shape.tokens(),
                            shape.hidden(),
                            request.iterations(),
                            request.seed())
                    .withCalm(request.calm())
                    .withFull(request.full())
                    .run();
            results.add(result);
            progress.accept(result);
        }
        return new Outcome(results);
    }
}
