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
 * @param prices of right ordering, where protocols that are wrong were measured too
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
        List<OrderingPrice> prices,
        List<Skipped> skipped) {

    /**
     * What was not measured, and why.
     *
     * @param variant null where it is the whole shape
     */
    public record Skipped(int tokens, int hidden, @Nullable String variant, String reason) {}

    /**
     * What right ordering costs: how much longer an exchange takes than the same one with a protocol that is wrong.
     *
     * @param percent by the p50 of blocks of the same turn, the median over the turns
     */
    public record OrderingPrice(
            int tokens, int hidden, String placement, String exchange, String protocol, double percent) {}

    /** Puts it together. */
    static BenchFile of(BenchOptions options, List<ShapeMeasurement> measurements) {
        BenchResults results = new BenchResults(options);
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
                results.of(measurements),
                results.prices(measurements),
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
