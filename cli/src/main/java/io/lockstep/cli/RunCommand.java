package io.lockstep.cli;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Console;
import io.lockstep.cli.launch.Launch;
import io.lockstep.cli.launch.Launcher;
import io.lockstep.core.Backends;
import io.lockstep.core.GroupSpec;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lockstep run}. */
@Command(
        name = "run",
        description = {
            "Start a program once per rank.",
            "",
            "Each gets LOCKSTEP_RANK, LOCKSTEP_WORLD_SIZE and LOCKSTEP_GROUP in its environment, which is what "
                    + "Communicator.join(GroupSpec.fromEnvironment()) reads. When one rank fails, the others are ended "
                    + "and its exit code is the command's. Ctrl-C ends all. Rank 0 may read the standard input."
        },
        synopsisHeading = "Usage: ",
        customSynopsis =
                "lockstep run -n RANKS [--group NAME] [--backend NAME] [--output auto|prefix|raw] -- PROGRAM [ARGUMENT…]",
        footer = {
            "",
            "Examples:",
            "  lockstep run -n 2 -- java -cp app.jar com.example.Main",
            "  lockstep run -n 2 --backend cuda -- java -cp app.jar com.example.Main"
        })
final class RunCommand implements Callable<Integer> {
    /** What is done with the output of the ranks. */
    enum Output {
        AUTO,
        PREFIX,
        RAW
    }

    private final Console console;

    @Option(
            names = {"-n", "--ranks"},
            required = true,
            paramLabel = "RANKS",
            description = "How many ranks, 2 to 8.")
    private int ranks;

    @Option(names = "--group", paramLabel = "NAME", description = "The group's name. Default: a random one.")
    private @Nullable String group;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description = "Where the program's ranks live, as LOCKSTEP_BACKEND. Default: the program's own choice.")
    private @Nullable String backend;

    @Option(
            names = "--output",
            paramLabel = "HOW",
            defaultValue = "auto",
            description = "prefix: each line begins with its rank; raw: as it comes; auto: prefix on a terminal, "
                    + "else raw. Default: ${DEFAULT-VALUE}.")
    private String output = "auto";

    @Parameters(arity = "1..*", paramLabel = "PROGRAM", description = "The program and its arguments, after '--'.")
    private List<String> command = List.of();

    RunCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        String name = group == null ? randomGroup() : group;
        // Checks the ranks and the name as each rank would, before any is started.
        GroupSpec.of(name, 0, ranks);
        if (backend != null) {
            Backends.named(backend);
        }
        boolean prefix = switch (outputOf(output)) {
            case AUTO -> console.outTerminal();
            case PREFIX -> true;
            case RAW -> false;
        };
        return new Launcher(new Launch(ranks, name, backend, command, prefix), console).run();
    }

    private static Output outputOf(String text) {
        try {
            return Output.valueOf(text.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException unknown) {
            throw CommandFailure.usage("--output is '" + text + "': expected auto, prefix or raw.");
        }
    }

    private static String randomGroup() {
        return "run-" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
    }
}
