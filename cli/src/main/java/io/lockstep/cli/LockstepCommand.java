package io.lockstep.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code lockstep} without a command. */
@Command(
        name = "lockstep",
        versionProvider = CommandLines.Version.class,
        description = "Tensor-parallel collectives for the JVM: all-reduce + residual add + RMSNorm as one step.",
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Exit codes: 0 right, 1 wrong numbers, 2 wrong usage, 3 could not run here.",
            "Start with 'lockstep doctor' (what this machine can do) and 'lockstep verify' (is it right?)."
        })
final class LockstepCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Show the stack trace of a failure.")
    boolean verbose;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help.")
    boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the version.")
    boolean version;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Which command? See 'lockstep --help'.");
    }
}
