package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.lockstep.cli.console.ExitStatus;
import io.lockstep.core.Backends;
import io.lockstep.core.Readiness;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What needs an AMD GPU, on a machine that has none. */
@Timeout(120)
final class AmdWithoutADeviceTest {
    private static final Path INPUT = Path.of("src/test/resources/oracle/f32_tp3_4x264.in.safetensors");

    @TempDir
    Path folder;

    @BeforeAll
    static void requireNoDevice() {
        boolean device = Backends.all().stream()
                .anyMatch(backend -> backend.name().equals("hip") && backend.probe() instanceof Readiness.Ready);
        assumeFalse(device, "This machine has an AMD GPU.");
    }

    /** Whatever ROCm's variables say of architectures and devices. */
    @ParameterizedTest
    @ValueSource(strings = {"9.4.2", "9.9.9", "nonsense"})
    void applyEndsWithOneSentence(String architecture) throws Exception {
        List<String> command = Commands.lockstep(
                "apply",
                "--backend",
                "hip",
                "--input",
                INPUT.toString(),
                "--output",
                folder.resolve("out").toString());
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment()
                .putAll(Map.of(
                        "HSA_OVERRIDE_GFX_VERSION",
                        architecture,
                        "HIP_VISIBLE_DEVICES",
                        "7," + architecture,
                        "ROCR_VISIBLE_DEVICES",
                        "-1"));
        Process process =
                builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        String said = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isEqualTo(ExitStatus.CANNOT_RUN);
        assertOneSentence(said);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void verifyAndBenchEndWithOneSentence() {
        for (String name : List.of("verify", "bench")) {
            Lockstep run = Lockstep.run(name, "--backend", "hip");
            assertThat(run.status()).as(name).isEqualTo(ExitStatus.CANNOT_RUN);
            assertOneSentence(run.err());
        }
    }

    private static void assertOneSentence(String said) {
        assertThat(said.strip().lines().filter(line -> !line.startsWith("WARNING: ")))
                .singleElement()
                .asString()
                .startsWith("lockstep: The backend 'hip' cannot be used here: ")
                .endsWith(".");
    }

    @Test
    void doctorSaysWhatOfTheKernelsIsKnown() {
        assertThat(Lockstep.run("doctor").out().lines().filter(line -> line.startsWith("amd kernels")))
                .singleElement()
                .asString()
                .containsPattern("(compiled and inspected|compiled|not compiled) for gfx942.*; no device here");
    }
}
