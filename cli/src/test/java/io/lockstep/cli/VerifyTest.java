package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.cli.console.ExitStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Right numbers pass, and each planted fault is seen at once and shown. */
@Timeout(120)
final class VerifyTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"bf16,2", "fp16,3", "fp32,5"})
    void rightNumbersPass(String dtype, int ranks) {
        Lockstep run = Lockstep.run(
                "verify",
                "--tp",
                Integer.toString(ranks),
                "--dtype",
                dtype,
                "--shapes",
                "1x7,3x264,13x2040",
                "--iterations",
                "5",
                "--ranks-as",
                "threads",
                "--seed",
                "7");
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).contains("1x7  one-shot", "13x2040  two-shot", "Right: every bit of 3 shapes", "seed 7");
        assertThat(run.status()).isEqualTo(ExitStatus.RIGHT);
    }

    @Test
    void rightNumbersPassOnProcesses() throws IOException {
        Path json = folder.resolve("verify.json");
        Lockstep run = Lockstep.run(
                "verify", "--tp", "3", "--shapes", "1x64,5x520", "--iterations", "4", "--json", json.toString());
        assertThat(run.out()).contains("3 ranks (bf16, processes)");
        assertThat(run.status()).isEqualTo(ExitStatus.RIGHT);
        JsonNode file = JsonMapper.shared().readTree(Files.readString(json));
        assertThat(file.path("schema").intValue()).isEqualTo(1);
        assertThat(file.path("command").stringValue()).isEqualTo("verify");
        assertThat(file.path("verdict").stringValue()).isEqualTo("right");
        assertThat(file.path("results")).hasSize(4);
        JsonNode first = file.path("results").path(0);
        assertThat(first.path("iterations").intValue()).isEqualTo(4);
        assertThat(first.path("wrong_bits").intValue()).isZero();
        assertThat(first.path("max_abs_err").doubleValue()).isZero();
        assertThat(first.path("first_bad").isNull()).isTrue();
    }

    /** The faults, by the names a person gives. */
    enum Planted {
        PUBLISH_BEFORE_WRITE,
        SKIP_REUSE_WAIT,
        READ_WRONG_RANK,
        LOSE_LAST_ROW,
        SKIP_ROUNDING;

        String label() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPlantedFaultIsSeenInTheFirstIterationsAndShown(Planted fault) throws IOException {
        Path json = folder.resolve("verify.json");
        Lockstep run = Lockstep.run(
                "verify",
                "--tp",
                "3",
                "--shapes",
                "3x264,64x2880",
                "--iterations",
                "12",
                "--ranks-as",
                "threads",
                "--plant",
                fault.label(),
                "--json",
                json.toString(),
                "--seed",
                "11");
        assertThat(run.status()).as(run.out() + run.err()).isEqualTo(ExitStatus.WRONG);
        assertThat(run.out()).contains("A fault is planted: rank 1", "WRONG", "First: iteration ", "--seed 11");
        JsonNode file = JsonMapper.shared().readTree(Files.readString(json));
        assertThat(file.path("verdict").stringValue()).isEqualTo("wrong");
        assertThat(file.path("planted").stringValue()).isEqualTo(fault.label());
        // Both algorithms of at least the larger shape.
        long wrong = file.path("results")
                .valueStream()
                .filter(result -> result.path("tokens").intValue() == 64)
                .filter(result -> result.path("wrong_bits").longValue() > 0)
                .filter(result -> result.path("first_bad").path("iteration").longValue() < 10)
                .count();
        assertThat(wrong).as(run.out()).isEqualTo(2);
    }

    @Test
    void theFirstWrongCallIsSavedAndCanBeRunAgain() throws IOException {
        Lockstep run = Lockstep.run(
                "verify",
                "--tp",
                "2",
                "--shapes",
                "4x64",
                "--iterations",
                "6",
                "--ranks-as",
                "threads",
                "--plant",
                "lose-last-row",
                "--save-failure",
                folder.toString(),
                "--seed",
                "3");
        assertThat(run.status()).isEqualTo(ExitStatus.WRONG);
        Path saved;
        try (var files = Files.list(folder)) {
            saved = files.findFirst().orElseThrow();
        }
        assertThat(saved).hasFileName("verify-4x64-bf16-seed3-iteration0.safetensors");
        assertThat(run.out()).contains(saved.toString());
        Path output = folder.resolve("out.safetensors");
        Lockstep apply = Lockstep.run("apply", "--input", saved.toString(), "--output", output.toString());
        assertThat(apply.status()).as(apply.err()).isEqualTo(ExitStatus.RIGHT);
        assertThat(output).isNotEmptyFile();
    }

    @Test
    void jsonToTheOutputIsAllThatIsPrinted() {
        Lockstep run = Lockstep.run(
                "verify", "--tp", "2", "--shapes", "1x8", "--iterations", "1", "--ranks-as", "threads", "--json", "-");
        assertThat(run.out()).startsWith("{").endsWith("}\n");
        assertThat(run.err()).isEmpty();
    }

    @Test
    void skippingTheRoundingOfFp32IsRefused() {
        Lockstep run = Lockstep.run("verify", "--dtype", "fp32", "--plant", "skip-rounding");
        assertThat(run.status()).isEqualTo(ExitStatus.USAGE);
        assertThat(run.err()).contains("a sum in fp32 is not rounded");
    }

    @Test
    void aKilledRankIsNamedAndNothingHangs() throws Exception {
        Process verify = new ProcessBuilder(
                        Commands.lockstep("verify", "--tp", "2", "--shapes", "256x2880", "--budget", "60"))
                .redirectErrorStream(true)
                .start();
        ProcessHandle victim = awaitRank(verify);
        // In the middle of its work.
        Thread.sleep(3000);
        victim.destroyForcibly();
        String out = new String(verify.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(verify.waitFor()).as(out).isEqualTo(ExitStatus.CANNOT_RUN);
        assertThat(out).contains("FAILED", "its process was killed");
    }

    private static ProcessHandle awaitRank(Process verify) throws InterruptedException {
        while (verify.isAlive()) {
            var rank = verify.children().findFirst();
            if (rank.isPresent()) {
                return rank.get();
            }
            Thread.sleep(20);
        }
        throw new AssertionError("verify ended before it had started a rank");
    }
}
