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

/**
 * {@code verify} on GPUs, over devices that are threads of this machine: all of it but the vendor's driver is what runs
 * on real ones.
 */
@Timeout(300)
final class GpuVerifyTest {
    @TempDir
    Path folder;

    @BeforeEach
    void requireCompiler() {
        assumeThat(Path.of("/usr/bin/g++"))
                .as("g++, which compiles the kernels for the host")
                .exists();
    }

    private static Lockstep verify(String backend, String... more) {
        List<String> arguments =
                new ArrayList<>(List.of("verify", "--backend", backend, "--ranks-as", "threads", "--seed", "7"));
        arguments.addAll(List.of(more));
        return Lockstep.run(arguments.toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource({"bf16, 2, '1x7,5x264', 25", "fp16, 3, '4x40', 9", "fp32, 2, '3x33', 17"})
    void rightNumbersPassInEveryWayOfMakingCalls(String dtype, String ranks, String shapes, String iterations)
            throws IOException {
        Path json = folder.resolve("verify.json");
        Lockstep run = verify(
                "host",
                "--tp",
                ranks,
                "--dtype",
                dtype,
                "--shapes",
                shapes,
                "--iterations",
                iterations,
                "--json",
                json.toString());
        assertThat(run.err()).isEmpty();
        assertThat(run.status()).as(run.out()).isEqualTo(ExitStatus.RIGHT);
        assertThat(run.out())
                .contains("one-shot-push", "two-shot-push", "one-shot-pull", "two-shot-pull", "auto")
                .contains("Right: every bit of");
        JsonNode first = JsonMapper.shared()
                .readTree(Files.readString(json))
                .path("results")
                .path(0);
        assertThat(first.path("iterations").asString()).isEqualTo(iterations);
        // A replayed iteration makes 7 calls of an exchange, one of many 64, the others one, and one more where the
        // host
        // judges.
        int count = Integer.parseInt(iterations);
        long calls = 3;
        for (int i = 0; i < count; i++) {
            calls += i % 4 == 0 ? 7 : i % 4 == 2 ? 64 : 1;
        }
        assertThat(first.path("calls").longValue()).isEqualTo(calls);
    }

    @Test
    void aFaultInTheKernelsIsFoundAndShownAndTheCallIsSaved() throws IOException {
        Lockstep run = verify(
                "host-that-misplaces-a-row",
                "--tp",
                "2",
                "--shapes",
                "5x264",
                "--iterations",
                "4",
                "--save-failure",
                folder.toString());
        assertThat(run.status()).as(run.out() + run.err()).isEqualTo(ExitStatus.WRONG);
        // A row that is not written, or not with its own values.
        assertThat(run.out())
                .contains("First: iteration 0, rank 0, out[")
                .contains("The same again: --seed 7")
                .contains("5x264  two-shot-pull           1");
        Path saved;
        try (var files = Files.list(folder)) {
            saved = files.findFirst().orElseThrow();
        }
        Lockstep apply = Lockstep.run(
                "apply",
                "--backend",
                "host",
                "--input",
                saved.toString(),
                "--output",
                folder.resolve("out").toString());
        assertThat(apply.status()).as(apply.err()).isEqualTo(ExitStatus.RIGHT);
    }

    @Test
    void aFaultInTheDevicesOwnSpecificationIsFoundByTheHosts() {
        Lockstep run = verify("host-with-another-specification", "--tp", "2", "--shapes", "2x264", "--iterations", "1");
        assertThat(run.status()).as(run.out() + run.err()).isEqualTo(ExitStatus.WRONG);
        assertThat(run.out()).contains("the device's own reduced[0,0]");
    }

    @Test
    void aProtocolByNameIsRunAndWhatItShowsIsToldHonestly() {
        Lockstep run = verify("host", "--tp", "2", "--shapes", "3x264", "--iterations", "2", "--protocol", "relaxed");
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).contains("3x264  relaxed", "The protocol relaxed is wrong under the memory model");
        if (run.status() == ExitStatus.RIGHT) {
            assertThat(run.out()).contains("did not show it in these calls: that does not make it right.");
        } else {
            assertThat(run.out()).contains("this machine shows it.");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--protocol | ring | --protocol is 'ring': expected",
                "--protocol | one-buffer | The kernels have no exchange for the protocol 'one-buffer'",
                "--plant | lose-last-row | faults are planted in ranks of --backend cpu alone",
                "--algorithm | ring | Unknown algorithm 'ring'",
                "--machine | weakest | only --backend sim is a simulated machine"
            })
    void whatCannotBeOnGpusIsRefusedInASentence(String option, String value, String expected) {
        Lockstep run = verify("host", option, value);
        assertThat(run.status()).isEqualTo(ExitStatus.USAGE);
        assertThat(run.err()).startsWith("lockstep: ").contains(expected).doesNotContain("\tat ");
        assertThat(run.out()).isEmpty();
    }

    @Test
    void aProtocolAndAnAlgorithmAreNotTakenTogether() {
        Lockstep run = verify("host", "--protocol", "relaxed", "--algorithm", "auto");
        assertThat(run.status()).isEqualTo(ExitStatus.USAGE);
        assertThat(run.err()).contains("--algorithm is given, but --protocol takes its place");
    }
}
