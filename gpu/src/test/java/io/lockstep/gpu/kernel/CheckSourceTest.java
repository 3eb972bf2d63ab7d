package io.lockstep.gpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.core.DType;
import io.lockstep.gpu.Tools;
import io.lockstep.gpu.hip.HipCompiler;
import io.lockstep.gpu.hip.Needs;
import io.lockstep.gpu.inspect.AmdgcnArch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernels that check others are one text for all devices, as those are. */
@Execution(ExecutionMode.CONCURRENT)
class CheckSourceTest {
    private static KernelOptions options(DType dtype) {
        return new KernelOptions(4, dtype, 2880, true, true);
    }

    @ParameterizedTest
    @CsvSource({"sm_80, bf16", "sm_90, bf16", "sm_90, fp16", "sm_90, fp32", "sm_120, bf16"})
    void nvccCompilesThemWithoutSpills(String architecture, String dtype, @TempDir Path folder) throws Exception {
        assumeThat(Tools.find("nvcc"))
                .as("nvcc, the compiler of CUDA's toolkit")
                .isPresent();
        Path source = Files.writeString(folder.resolve("check.cu"), KernelSource.check());
        List<String> command = new ArrayList<>(List.of(
                Tools.find("nvcc").orElseThrow().toString(),
                "-arch=" + architecture,
                "-std=c++17",
                "--fmad=false",
                "-Xptxas",
                "-v"));
        options(DType.of(dtype)).defines().forEach(define -> command.add("-D" + define));
        command.addAll(List.of("-cubin", "-o", folder.resolve("check.cubin").toString(), source.toString()));

        String said = Tools.run(command);

        assertThat(said)
                .contains("'ls_make'", "'ls_compare'", "'ls_reference'", "'ls_make_any'", "'ls_pause_device'")
                .doesNotContain("ls_one_shot");
        assertThat(said.lines().filter(line -> line.contains("spill")))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line).contains("0 bytes spill stores, 0 bytes spill loads"));
    }

    @ParameterizedTest
    @EnumSource(
            value = AmdgcnArch.class,
            names = {"GFX942", "GFX1100"})
    void clangCompilesThemForAmdGpus(AmdgcnArch arch) {
        for (DType dtype : DType.values()) {
            assertThat(Needs.clang()
                            .compile(
                                    KernelSource.check(),
                                    HipCompiler.options(arch, options(dtype).defines())))
                    .isNotEmpty();
        }
    }
}
