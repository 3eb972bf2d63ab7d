package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.cli.console.ExitStatus;
import io.lockstep.cli.safetensors.SafeTensorsFile;
import io.lockstep.cli.safetensors.SafeTensorsWriter;
import io.lockstep.cli.safetensors.Tensor;
import io.lockstep.cli.safetensors.TensorSpec;
import io.lockstep.core.DType;
import io.lockstep.core.reference.Elements;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One call on tensors of a file, compared with what PyTorch's unfused path made of the same tensors. */
@Timeout(60)
final class ApplyTest {
    private static final Path ORACLE = Path.of("src/test/resources/oracle");

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "bf16_tp4_7x520,one-shot,1",
        "bf16_tp4_7x520,two-shot,1",
        "f16_tp8_1x2040,one-shot,1",
        "f16_tp8_1x2040,two-shot,1",
        "f32_tp3_4x264,one-shot,8",
        "f32_tp3_4x264,two-shot,8",
        "f32_tp3_4x264,auto,8"
    })
    void theResultIsPyTorchs(String name, String algorithm, int mostUlps) {
        Path output = folder.resolve("out.safetensors");
        Lockstep run = Lockstep.run(
                "apply",
                "--input",
                ORACLE.resolve(name + ".in.safetensors").toString(),
                "--output",
                output.toString(),
                "--algorithm",
                algorithm);
        assertThat(run.err()).isEmpty();
        assertThat(run.status()).isEqualTo(ExitStatus.RIGHT);
        try (Arena arena = Arena.ofConfined()) {
            SafeTensorsFile ours = SafeTensorsFile.open(output, arena);
            SafeTensorsFile theirs = SafeTensorsFile.open(ORACLE.resolve(name + ".ref.safetensors"), arena);
            assertThat(ours.names()).containsExactlyInAnyOrder("residual_out", "out");
            assertUlps(ours, theirs, "residual_out", 0);
            assertUlps(ours, theirs, "out", mostUlps);
        }
    }

    private static void assertUlps(SafeTensorsFile ours, SafeTensorsFile theirs, String name, int most) {
        Tensor a = ours.tensor(name).orElseThrow();
        Tensor b = theirs.tensor(name).orElseThrow();
        assertThat(a.spec()).isEqualTo(b.spec());
        for (long i = 0; i < a.spec().elements(); i++) {
            boolean bothNaN = Float.isNaN(Elements.get(a.spec().dtype(), a.data(), i))
                    && Float.isNaN(Elements.get(b.spec().dtype(), b.data(), i));
            long distance = Math.abs(ordered(a, i) - ordered(b, i));
            assertThat(bothNaN || distance <= most)
                    .as("%s[%d]: %d units in the last place", name, i, distance)
                    .isTrue();
        }
    }

    /** Bits as a number that grows with the value. */
    private static long ordered(Tensor tensor, long index) {
        boolean wide = tensor.spec().dtype().bytes() == 4;
        long bits = wide
                ? tensor.data().getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, index) & 0xFFFFFFFFL
                : tensor.data().getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, index) & 0xFFFFL;
        long sign = wide ? 0x80000000L : 0x8000L;
        return (bits & sign) == 0 ? bits : -(bits & (sign - 1));
    }

    @Test
    void theSumIsWrittenOnRequest() {
        Path output = folder.resolve("out.safetensors");
        Lockstep run = Lockstep.run(
                "apply",
                "--input",
                ORACLE.resolve("bf16_tp4_7x520.in.safetensors").toString(),
                "--output",
                output.toString(),
                "--reduced",
                "--json",
                "-");
        assertThat(run.out()).contains("\"schema\" : 1", "\"reduced\"");
        try (Arena arena = Arena.ofConfined()) {
            assertThat(SafeTensorsFile.open(output, arena).names()).contains("reduced", "residual_out", "out");
        }
    }

    @Test
    void withoutResidualAndWeightItIsTheAllReduceAlone() {
        Path input = folder.resolve("in.safetensors");
        List<TensorSpec> specs = List.of(
                new TensorSpec("input.0", DType.FP32, List.of(2L, 3L)),
                new TensorSpec("input.1", DType.FP32, List.of(2L, 3L)));
        write(input, specs);
        Path output = folder.resolve("out.safetensors");
        Lockstep run = Lockstep.run("apply", "--input", input.toString(), "--output", output.toString());
        assertThat(run.status()).as(run.err()).isZero();
        try (Arena arena = Arena.ofConfined()) {
            Tensor sum = SafeTensorsFile.open(output, arena).tensor("reduced").orElseThrow();
            assertThat(sum.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED)).containsExactly(0, 2, 4, 6, 8, 10);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "input.0:FP32:2x3 | has 1 inputs in a row from 'input.0' on: expected 2 to 8",
                "input.1:FP32:2x3 | has 0 inputs in a row",
                "input.0:FP32:2x3 input.1:FP32:2x3 input.3:FP32:2x3 | 'input.2' is missing",
                "input.0:FP32:2x3 input.1:FP32:3x2 | 'input.1' in",
                "input.0:FP32:2x3 input.1:BF16:2x3 | is bf16 where 'input.0' is fp32",
                "input.0:FP32:2x3 input.1:FP32:2x3 residual:FP32:2x4 | has the shape 2 x 4: expected 2 x 3",
                "input.0:FP32:2x3 input.1:FP32:2x3 weight:FP32:2 | has the shape 2: expected 3",
                "input.0:FP32:0x3 input.1:FP32:0x3 | expected (tokens, hidden)"
            })
    void tensorsThatDoNotFitAreNamed(String tensors, String expected) {
        Path input = folder.resolve("in.safetensors");
        write(input, List.of(tensors.split(" ")).stream().map(ApplyTest::spec).toList());
        Path output = folder.resolve("out.safetensors");
        Lockstep run = Lockstep.run("apply", "--input", input.toString(), "--output", output.toString());
        assertThat(run.err()).contains(expected);
        assertThat(run.status()).isEqualTo(ExitStatus.USAGE);
        assertThat(output).doesNotExist();
    }

    @Test
    void anOutputThatCannotBeWrittenIsToldWithItsReason() {
        Lockstep run = Lockstep.run(
                "apply",
                "--input",
                ORACLE.resolve("bf16_tp4_7x520.in.safetensors").toString(),
                "--output",
                folder.resolve("no/such/folder/out.safetensors").toString());
        assertThat(run.status()).isEqualTo(ExitStatus.CANNOT_RUN);
        assertThat(run.err()).contains("Cannot write", "there is no such file or folder");
    }

    private static TensorSpec spec(String text) {
        String[] parts = text.split(":", -1);
        List<Long> shape =
                List.of(parts[2].split("x")).stream().map(Long::valueOf).toList();
        return new TensorSpec(parts[0], DType.valueOf(parts[1]), shape);
    }

    private static void write(Path path, List<TensorSpec> specs) {
        try (SafeTensorsWriter writer = SafeTensorsWriter.create(path, specs, Map.of())) {
            for (TensorSpec spec : specs) {
                for (long i = 0; i < spec.elements(); i++) {
                    Elements.set(spec.dtype(), writer.tensor(spec.name()), i, (float) i);
                }
            }
            writer.complete();
        }
    }
}
