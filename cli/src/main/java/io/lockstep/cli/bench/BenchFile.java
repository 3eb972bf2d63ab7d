package io.lockstep.cli.bench;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Json;
import io.lockstep.cli.machine.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * What {@code bench --json} writes and {@code plot} reads.
 *
 * @param schema changes when a reader has to change
 * @param command {@code bench}
 * @param baseline the variant that ratios are to
 * @param machine processor, cores, Java, system
 */
public record BenchFile(
        int schema,
        String command,
        int ranks,
        String ranksAs,
        String dtype,
        String backend,
        int threads,
        boolean bound,
        @Nullable String baseline,
        double warmupSeconds,
        double blockSeconds,
        Map<String, String> machine,
        List<BenchResult> results,
        List<Skipped> skipped) {

    /** A shape that was not measured, and why. */
    public record Skipped(int tokens, int hidden, String reason) {}

    /** Puts it together. */
    static BenchFile of(BenchOptions options, List<ShapeMeasurement> measurements) {
        return new BenchFile(
                Json.SCHEMA,
                "bench",
                options.worldSize(),
                options.asProcesses() ? "processes" : "threads",
                options.dtype().label(),
                options.backend(),
                options.threads(),
                options.bind(),
                options.baseline(),
                options.warmup().toMillis() / 1000.0,
                options.block().toMillis() / 1000.0,
                Map.of(
                        "processor", Machine.processor(),
                        "cores", Integer.toString(Machine.cores()),
                        "java", Machine.java(),
                        "system", Machine.system()),
                new BenchResults(options).of(measurements),
                BenchResults.skipped(measurements));
    }

    /** Measures everything. */
    public static BenchFile measure(BenchOptions options, io.lockstep.cli.console.Progress progress) {
        return of(options, new Bencher(options, progress).run());
    }

    /**
     * Reads a file.
     *
     * @throws CommandFailure if it is not one of ours
     */
    public static BenchFile read(Path path) {
        try {
            BenchFile file = Json.read(Files.readString(path), BenchFile.class);
            if (file.schema() != Json.SCHEMA || !"bench".equals(file.command()) || file.results() == null) {
                throw CommandFailure.usage(path + " is not what 'bench --json' of this version writes: found schema "
                        + file.schema() + ", command " + file.command() + "; expected schema " + Json.SCHEMA
                        + ", command bench.");
            }
            return file;
        } catch (JacksonException wrong) {
            throw CommandFailure.usage(
                    path + " is not what 'bench --json' writes: " + wrong.getOriginalMessage() + ".");
        } catch (IOException failure) {
            throw CommandFailure.usage("Cannot read " + path + ": " + Json.reason(failure) + ".");
        }
    }
}
