package io.lockstep.cli;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Console;
import io.lockstep.cli.console.ExitStatus;
import io.lockstep.cli.console.Json;
import io.lockstep.core.LockstepException;
import io.lockstep.core.UsageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;

/** The commands put together, with one way for all of them to fail: a sentence on stderr and an exit code. */
final class CommandLines {
    private CommandLines() {}

    /** Every command, writing to this console. */
    static CommandLine of(Console console) {
        LockstepCommand root = new LockstepCommand();
        CommandLine line = new CommandLine(root)
                .addSubcommand("verify", new VerifyCommand(console))
                .addSubcommand("bench", new BenchCommand(console))
                .addSubcommand("plot", new PlotCommand(console))
                .addSubcommand("apply", new ApplyCommand(console))
                .addSubcommand("doctor", new DoctorCommand(console))
                .addSubcommand("run", new RunCommand(console))
                .addSubcommand("litmus", new LitmusCommand())
                .addSubcommand("rank", new RankCommand());
        line.setOut(console.out());
        line.setErr(console.err());
        line.setColorScheme(
                CommandLine.Help.defaultColorScheme(console.outTerminal() && console.colour() ? Ansi.ON : Ansi.OFF));
        line.setUsageHelpAutoWidth(false);
        line.setUsageHelpWidth(110);
        line.setExitCodeExceptionMapper(CommandLines::status);
        line.setExecutionExceptionHandler((failure, command, parsed) -> {
            console.err().println("lockstep: " + sentence(failure));
            if (root.verbose) {
                failure.printStackTrace(console.err());
            }
            console.err().flush();
            return status(failure);
        });
        line.setParameterExceptionHandler((failure, arguments) -> {
            console.err().println("lockstep: " + sentence(failure));
            String name = failure.getCommandLine().getCommandSpec().qualifiedName();
            console.err().println("Try '" + name + " --help'.");
            console.err().flush();
            return ExitStatus.USAGE;
        });
        return line;
    }

    private static int status(Throwable failure) {
        return switch (failure) {
            case CommandFailure known -> known.status();
            case UsageException ignored -> ExitStatus.USAGE;
            case ParameterException ignored -> ExitStatus.USAGE;
            default -> ExitStatus.CANNOT_RUN;
        };
    }

    private static String sentence(Throwable failure) {
        return switch (failure) {
            case CommandFailure known -> String.valueOf(known.getMessage());
            case LockstepException known -> String.valueOf(known.getMessage());
            case ParameterException wrong -> ended(String.valueOf(wrong.getMessage()));
            case UncheckedIOException wrapped -> ended(Json.reason(causeOf(wrapped)));
            case IOException io -> ended(Json.reason(io));
            case OutOfMemoryError ignored ->
                "This process ran out of memory: ask for less, or give it more with LOCKSTEP_JVM_FLAGS=-Xmx….";
            default -> "A fault of Lockstep itself: " + failure + ". --verbose shows where.";
        };
    }

    @SuppressWarnings("NullAway") // An UncheckedIOException always has its cause.
    private static IOException causeOf(UncheckedIOException wrapped) {
        return wrapped.getCause();
    }

    private static String ended(String text) {
        return text.endsWith(".") || text.endsWith("?") ? text : text + ".";
    }

    /** The version that the build gave the module. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"lockstep " + text()};
        }

        /** As told by the module; "development" where the classes are not in a module. */
        static String text() {
            var descriptor = Main.class.getModule().getDescriptor();
            return descriptor == null ? "development" : descriptor.rawVersion().orElse("development");
        }
    }
}
