package io.lockstep.cli;

import io.lockstep.cli.apply.Apply;
import io.lockstep.cli.apply.Call;
import io.lockstep.cli.console.Console;
import io.lockstep.cli.console.Json;
import io.lockstep.cli.safetensors.SafeTensorsFile;
import io.lockstep.core.Algorithm;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lockstep apply}. */
@Command(
        name = "apply",
        description = {
            "Run one call on tensors of a safetensors file.",
            "",
            "Reads 'input.0' to 'input.N-1' (2 to 8 ranks), 'residual' and 'weight', all of one type (BF16, F16 or F32), "
                    + "and writes 'residual_out' and 'out'. A file without 'residual' or 'weight' runs the operation "
                    + "without that part; with neither it is the all-reduce alone and writes 'reduced'. Other tensors "
                    + "are left alone. The ranks are threads, and all of them must come to the same bits."
        })
final class ApplyCommand implements Callable<Integer> {
    private final Console console;

    @Option(names = "--input", required = true, paramLabel = "FILE", description = "The tensors to read.")
    private Path input = Path.of("");

    @Option(names = "--output", required = true, paramLabel = "FILE", description = "The file to write.")
    private Path output = Path.of("");

    @Option(
            names = "--epsilon",
            paramLabel = "NUMBER",
            description = "Added to the mean of the squares. Default: 1e-6.")
    private float epsilon = Operation.DEFAULT_EPSILON;

    @Option(
            names = "--algorithm",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "one-shot, two-shot or auto; the bits are the same. Default: ${DEFAULT-VALUE}.")
    private String algorithm = "auto";

    @Option(names = "--reduced", description = "Write 'reduced' too: the rounded sum before the residual.")
    private boolean reduced;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            defaultValue = "cpu",
            description = "Where the ranks live. Default: ${DEFAULT-VALUE}.")
    private String backend = "cpu";

    @Option(names = "--json", paramLabel = "FILE", description = "Write what was done as JSON; - is the output.")
    private @Nullable Path json;

    /** What {@code --json} holds. */
    record Applied(
            int schema,
            String input,
            String output,
            int ranks,
            int tokens,
            int hidden,
            String dtype,
            float epsilon,
            String algorithm,
            List<String> tensors) {}

    ApplyCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        try (Arena arena = Arena.ofShared()) {
            Call call = Call.of(SafeTensorsFile.open(input, arena), input);
            Operation operation = call.operation(epsilon, Algorithm.of(algorithm));
            Apply apply = new Apply(call, operation, reduced);
            GroupSpec group = GroupSpec.of("apply", 0, call.worldSize()).withBackend(backend);
            Algorithm taken = apply.run(group, output);
            if (json == null || !json.toString().equals("-")) {
                console.out()
                        .println(
                                "Applied " + taken + " to " + call.tokens() + " x " + call.hidden() + " " + call.dtype()
                                        + " on " + call.worldSize() + " ranks; " + String.join(", ", apply.outputs())
                                        + " written to " + output + ".");
            }
            if (json != null) {
                Json.write(
                        new Applied(
                                Json.SCHEMA,
                                input.toString(),
                                output.toString(),
                                call.worldSize(),
                                call.tokens(),
                                call.hidden(),
                                call.dtype().label(),
                                epsilon,
                                taken.label(),
                                apply.outputs()),
                        json,
                        console);
            }
        }
        return 0;
    }
}
