package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.cli.console.ExitStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code bench} on GPUs, over devices that are threads of this machine. */
@Timeout(300)
final class GpuBenchTest {
    @TempDir
    Path folder;

    @BeforeEach
    void requireCompiler() {
        assumeThat(Path.of("/usr/bin/g++"))
                .as("g++, which compiles the kernels for the host")
                .exists();
    }

    private static Lockstep bench(String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "bench",
                "--backend",
                "host",
                "--ranks-as",
                "threads",
                "--budget",
                "1",
                "--warmup",
                "1",
                "--block",
                "1"));
        arguments.addAll(List.of(more));
        return Lockstep.run(arguments.toArray(String[]::new));
    }

    @Test
    void everyVariantIsMeasuredInGraphsAndEagerWrittenAndDrawn() throws IOException {
        Path json = folder.resolve("bench.json");
        Lockstep run = bench("--shapes", "1x64,3x40", "--graph", "--protocol", "relaxed", "--json", json.toString());
        assertThat(run.err()).isEmpty();
        assertThat(run.status()).as(run.out()).isEqualTo(ExitStatus.RIGHT);
        assertThat(run.out())
                .contains("Calls in a graph, 50 in each; µs a call of the slowest rank")
                .contains("Eager calls, each between two events", "host")
                .contains("vs unfused")
                .contains("1x64 by nccl was skipped. The vendor's library of collectives was not found")
                .containsPattern("The price of right ordering, two-shot-pull over relaxed \\(graph\\): [+-][0-9.]+ % as"
                        + " the median over the shapes \\(1x64 ")
                .contains("of the time of unfused, as the median over the shapes.");
        JsonNode file = JsonMapper.shared().readTree(Files.readString(json));
        assertThat(file.path("backend").stringValue()).isEqualTo("host");
        for (String placement : List.of("graph", "eager")) {
            List<JsonNode> results = file.path("results")
                    .valueStream()
                    .filter(result -> result.path("placement").stringValue().equals(placement))
                    .toList();
            assertThat(results.stream()
                            .map(result -> result.path("variant").stringValue())
                            .distinct())
                    .containsExactlyInAnyOrder(
                            "one-shot-push",
                            "two-shot-push",
                            "one-shot-pull",
                            "two-shot-pull",
                            "auto",
                            "unfused",
                            "relaxed");
            results.forEach(result -> {
                assertThat(result.path("p50_us").doubleValue()).isPositive();
                assertThat(result.path("p99_us").doubleValue())
                        .isGreaterThanOrEqualTo(result.path("p50_us").doubleValue());
                assertThat(result.path("ratio_to_baseline").doubleValue()).isPositive();
                assertThat(result.path("host_us").isNull()).isEqualTo(placement.equals("graph"));
                boolean chosen = result.path("variant").stringValue().equals("auto");
                assertThat(result.path("algorithm").isNull()).isNotEqualTo(chosen);
            });
        }
        assertThat(file.path("prices")).hasSize(4);
        assertThat(file.path("prices").path(0).path("exchange").stringValue()).isEqualTo("two-shot-pull");
        Path png = folder.resolve("bench.png");
        Lockstep plot = Lockstep.run("plot", json.toString(), "-o", png.toString(), "--placement", "graph");
        assertThat(plot.status()).as(plot.err()).isEqualTo(ExitStatus.RIGHT);
        assertThat(plot.out()).contains("calls in a graph");
        assertThat(png).isNotEmptyFile();
    }

    @Test
    void variantsAndTheBaselineCanBeChosen() {
        Lockstep run = bench(
                "--shapes",
                "2x24",
                "--dtype",
                "fp32",
                "--variants",
                "two-shot-push,auto",
                "--baseline",
                "one-shot-pull");
        assertThat(run.err()).isEmpty();
        assertThat(run.out())
                .contains("two-shot-push", "auto", "vs one-shot-pull")
                .doesNotContain("unfused", "Calls in a graph");
        assertThat(run.status()).isEqualTo(ExitStatus.RIGHT);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--variants ring | --variants has 'ring': expected one-shot-push",
                "--baseline ring | --baseline is 'ring': expected one-shot-push",
                "--protocol ring | --protocol is 'ring': expected",
                "--protocol one-buffer | The kernels have no exchange for the protocol",
                "--input lent | --input is given, but ranks on GPUs have --variants",
                "--bind yes | --bind is given, but ranks on GPUs have --variants",
                "--threads 2 | --threads is given, but ranks on GPUs compute there",
            })
    void whatCannotBeMeasuredOnGpusIsRefusedInASentence(String options, String expected) {
        Lockstep run = bench(options.split(" "));
        assertThat(run.err()).startsWith("lockstep: ").contains(expected).doesNotContain("\tat ");
        assertThat(run.status()).isEqualTo(ExitStatus.USAGE);
        assertThat(run.out()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"--graph,", "--variants, auto", "--protocol, relaxed"})
    void whatIsForGpusIsRefusedElsewhere(String option, String value) {
        List<String> arguments = new ArrayList<>(List.of("bench", option));
        if (value != null) {
            arguments.add(value);
        }
        Lockstep run = Lockstep.run(arguments.toArray(String[]::new));
        assertThat(run.err()).contains(option + " is given, but it is for ranks on GPUs");
        assertThat(run.status()).isEqualTo(ExitStatus.USAGE);
    }
}
