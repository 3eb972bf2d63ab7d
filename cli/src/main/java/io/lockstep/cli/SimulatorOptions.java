package io.lockstep.cli;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.litmus.sim.Profile;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** What {@code verify --backend sim} is asked on top of what every backend is. */
final class SimulatorOptions {
    /** Their names. */
    static final List<String> NAMES = List.of("--machine", "--calm", "--full");

    @Option(
            names = "--machine",
            paramLabel = "NAME",
            defaultValue = "weakest",
            description = "weakest: all that the memory models allow; gfx942: a peer's write drops the line from its "
                    + "home's L2; home-l2: lines live in the L2 of their home alone. Default: ${DEFAULT-VALUE}.")
    private String machine = "weakest";

    @Option(
            names = "--calm",
            description = "Let the adversary act in about one call of 400: right for a long time, then wrong.")
    private boolean calm;

    @Option(names = "--full", description = "Compute every row, not only those that saw a wrong line.")
    private boolean full;

    Profile machine() {
        return Arrays.stream(Profile.values())
                .filter(profile -> profile.label().equals(machine))
                .findFirst()
                .orElseThrow(() -> CommandFailure.usage("--machine is '" + machine + "': expected "
                        + Arrays.stream(Profile.values()).map(Profile::label).collect(Collectors.joining(", ")) + "."));
    }

    boolean calm() {
        return calm;
    }

    boolean full() {
        return full;
    }
}
