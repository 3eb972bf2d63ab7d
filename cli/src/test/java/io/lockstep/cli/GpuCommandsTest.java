package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.cli.console.ExitStatus;
import io.lockstep.core.Backend;
import io.lockstep.core.Backends;
import io.lockstep.core.Readiness;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is the same for every command on GPUs: the bits, and the refusal where there is none. */
@Timeout(120)
final class GpuCommandsTest {
    private static final Path ORACLE = Path.of("src/test/resources/oracle");

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"bf16_tp4_7x520, auto", "f16_tp8_1x2040, one-shot", "f32_tp3_4x264, two-shot"})
    void applyWritesTheSameBytesOnDevicesAndOnTheHost(String name, String algorithm) throws IOException {
        assumeThat(Path.of("/usr/bin/g++"))
                .as("g++, which compiles the kernels for the host")
                .exists();
        Path cpu = apply(name, algorithm, "cpu");
        Path device = apply(name, algorithm, "host");
        assertThat(Files.mismatch(cpu, device)).isEqualTo(-1);
    }

    private Path apply(String name, String algorithm, String backend) {
        Path output = folder.resolve(backend + ".safetensors");
        Lockstep run = Lockstep.run(
                "apply",
                "--backend",
                backend,
                "--algorithm",
                algorithm,
                "--reduced",
                "--input",
                ORACLE.resolve(name + ".in.safetensors").toString(),
                "--output",
                output.toString());
        assertThat(run.status()).as(run.err()).isEqualTo(ExitStatus.RIGHT);
        return output;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "verify --backend cuda",
                "verify --backend cuda --ranks-as threads --protocol relaxed",
                "bench --backend cuda --graph",
                "run -n 2 --backend cuda -- echo started",
                "apply --backend cuda --input ORACLE --output OUT",
                "verify --backend hip",
                "bench --backend hip",
                "run -n 2 --backend hip -- echo started",
                "apply --backend hip --input ORACLE --output OUT"
            })
    void withoutADeviceACommandSaysWhyInASentenceAndExitsWithThree(String command) {
        String vendor = command.contains("cuda") ? "cuda" : "hip";
        assumeThat(backend(vendor).probe())
                .as("a machine without a device of %s", vendor)
                .isInstanceOf(Readiness.NotReady.class);
        Path output = folder.resolve("out.safetensors");
        Lockstep run = Lockstep.run(command.replace(
                        "ORACLE", ORACLE.resolve("f32_tp3_4x264.in.safetensors").toString())
                .replace("OUT", output.toString())
                .split(" "));
        assertThat(run.err())
                .startsWith("lockstep: The backend '" + vendor + "' cannot be used here: ")
                .hasLineCount(1);
        assertThat(run.status()).isEqualTo(ExitStatus.CANNOT_RUN);
        assertThat(run.out()).isEmpty();
        assertThat(output).doesNotExist();
    }

    private static Backend backend(String name) {
        return Backends.all().stream()
                .filter(candidate -> candidate.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void runTellsTheProgramWhereItsRanksLive() {
        Lockstep run = Lockstep.run(
                "run", "-n", "2", "--backend", "cpu", "--output", "prefix", "--", "sh", "-c", "echo $LOCKSTEP_BACKEND");
        assertThat(run.out().lines()).containsExactlyInAnyOrder("[0] cpu", "[1] cpu");
        assertThat(run.status()).isEqualTo(ExitStatus.RIGHT);
    }

    @Test
    void runRefusesABackendThatIsNotKnown() {
        Lockstep run = Lockstep.run("run", "-n", "2", "--backend", "tpu", "--", "echo", "started");
        assertThat(run.err()).startsWith("lockstep: Unknown backend 'tpu'");
        assertThat(run.status()).isEqualTo(ExitStatus.USAGE);
        assertThat(run.out()).isEmpty();
    }
}
