package io.lockstep.cli;

import io.lockstep.cli.console.CommandFailure;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;

/** What is asked of the options of every command. */
final class Options {
    private Options() {}

    /** Options that mean nothing here are refused, not passed over. */
    static void refuse(CommandSpec spec, String why, List<String> options) {
        options.stream()
                .filter(option -> spec.commandLine().getParseResult().hasMatchedOption(option))
                .findFirst()
                .ifPresent(option -> {
                    throw CommandFailure.usage(option + " is given, but " + why + ".");
                });
    }
}
