package io.lockstep.cli;

import io.lockstep.cli.bench.BenchFile;
import io.lockstep.cli.bench.Placement;
import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Console;
import io.lockstep.cli.plot.BenchPlot;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lockstep plot}. */
@Command(
        name = "plot",
        description = {
            "Draw a file of 'bench --json' as a PNG.",
            "",
            "Time by size, both logarithmic, a line for each variant. Needs no display."
        })
final class PlotCommand implements Callable<Integer> {
    private final Console console;

    @Parameters(paramLabel = "FILE", description = "What 'bench --json' wrote.")
    private Path file = Path.of("");

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FILE",
            description = "The PNG to write.")
    private Path output = Path.of("");

    @Option(
            names = "--placement",
            paramLabel = "NAME",
            description = "near, far or mixed cores; graph or eager on GPUs. Default: the one with the most calls.")
    private @Nullable String placement;

    PlotCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        if (!output.toString().endsWith(".png")) {
            throw CommandFailure.usage("-o is " + output + ": expected a name that ends with .png.");
        }
        BenchFile results = BenchFile.read(file);
        String drawn = placement == null ? BenchPlot.mostCommon(results) : placement;
        BenchPlot.draw(results, drawn, output);
        console.out().println("Drew the results with " + Placement.words(drawn) + " to " + output + ".");
        return 0;
    }
}
