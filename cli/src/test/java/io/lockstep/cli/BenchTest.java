package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.cli.console.ExitStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Not how fast it is: that everything asked for is measured, written and drawn. */
@Timeout(120)
final class BenchTest {
    /** A program that answers every block with the same line. */
    private static final String RIVAL = """
            #!/bin/sh
            [ "$1 $2 $3" = "--tp 2 --serve" ] || exit 9
            while read -r verb tokens hidden algorithm copy millis; do
                [ "$verb" = quit ] && exit 0
                [ "$algorithm" = broken ] && echo '{"error":"it is broken"}' && continue
                echo '{"iterations":5,"p50_us":10.5,"p90_us":11,"p99_us":12,"rtt_before_ns":100,"rtt_after_ns":110}'
            done
            """;

    @TempDir
    Path folder;

    @Test
    void everyVariantIsMeasuredWrittenAndDrawn() throws IOException {
        Path json = folder.resolve("bench.json");
        Lockstep run = Lockstep.run(
                "bench",
                "--shapes",
                "1x64,16x128",
                "--budget",
                "1",
                "--warmup",
                "20",
                "--block",
                "3",
                "--against",
                rival().toString(),
                "--against-variants",
                "fused:plain",
                "--json",
                json.toString());
        assertThat(run.err()).isEmpty();
        assertThat(run.status()).isEqualTo(ExitStatus.RIGHT);
        assertThat(run.out())
                .contains("Warm-up: 20 ms", "lockstep lent", "unfused", "copy", "fused plain", "vs unfused");
        JsonNode file = JsonMapper.shared().readTree(Files.readString(json));
        assertThat(file.path("schema").intValue()).isEqualTo(1);
        assertThat(file.path("command").stringValue()).isEqualTo("bench");
        assertThat(file.path("baseline").stringValue()).isEqualTo("unfused");
        assertThat(file.path("machine").path("cores").isMissingNode()).isFalse();
        List<String> variants = file.path("results")
                .valueStream()
                .map(result -> result.path("variant").stringValue())
                .distinct()
                .toList();
        assertThat(variants).containsExactlyInAnyOrder("lockstep", "lockstep lent", "unfused", "copy", "fused plain");
        file.path("results").forEach(result -> {
            assertThat(result.path("p50_us").doubleValue()).isPositive();
            assertThat(result.path("p99_us").doubleValue())
                    .isGreaterThanOrEqualTo(result.path("p50_us").doubleValue());
            assertThat(result.path("algorithm_gb_per_s").doubleValue()).isPositive();
            assertThat(result.path("placement").stringValue()).isIn("near", "far", "mixed");
        });
        assertDrawn(json);
    }

    private void assertDrawn(Path json) throws IOException {
        Path png = folder.resolve("bench.png");
        Lockstep plot = Lockstep.run("plot", json.toString(), "-o", png.toString());
        assertThat(plot.err()).isEmpty();
        assertThat(plot.status()).isEqualTo(ExitStatus.RIGHT);
        assertThat(ImageIO.read(png.toFile()).getWidth()).isEqualTo(1200);
    }

    @Test
    void aRivalThatCannotRunIsNamed() throws IOException {
        Lockstep run = Lockstep.run(
                "bench",
                "--shapes",
                "1x64",
                "--budget",
                "1",
                "--warmup",
                "5",
                "--block",
                "1",
                "--ranks-as",
                "threads",
                "--against",
                rival().toString(),
                "--against-variants",
                "broken:plain");
        assertThat(run.err()).contains("cannot run 1x64 broken plain: it is broken");
        assertThat(run.status()).isEqualTo(ExitStatus.CANNOT_RUN);
    }

    @Test
    void aRivalThatDoesNotExistIsNamed() {
        Lockstep run =
                Lockstep.run("bench", "--shapes", "1x64", "--ranks-as", "threads", "--against", "/no/such/thing");
        assertThat(run.err()).contains("Cannot start --against /no/such/thing");
        assertThat(run.status()).isEqualTo(ExitStatus.CANNOT_RUN);
    }

    @Test
    void aFileThatIsNotOursIsNotDrawn() throws IOException {
        Path json = folder.resolve("other.json");
        Files.writeString(json, "{\"schema\": 2, \"command\": \"bench\"}");
        Lockstep run = Lockstep.run("plot", json.toString(), "-o", "x.png");
        assertThat(run.err()).contains("found schema 2");
        Files.writeString(json, "no json");
        assertThat(Lockstep.run("plot", json.toString(), "-o", "x.png").err())
                .contains("is not what 'bench --json' writes");
    }

    private Path rival() throws IOException {
        Path program = folder.resolve("rival");
        Files.writeString(program, RIVAL);
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        return program;
    }
}
