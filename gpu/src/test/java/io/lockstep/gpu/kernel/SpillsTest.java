package io.lockstep.gpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.core.DType;
import io.lockstep.gpu.Tools;
import io.lockstep.gpu.hip.HipCompiler;
import io.lockstep.gpu.hip.Needs;
import io.lockstep.gpu.inspect.AmdgcnArch;
import io.lockstep.gpu.inspect.AmdgcnInspection;
import io.lockstep.gpu.inspect.AmdgcnRule;
import io.lockstep.gpu.inspect.CodeObject;
import io.lockstep.gpu.inspect.IsaFinding;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The registers of a multiprocessor hold what a thread of the kernels keeps: for rows of up to 32 KiB. */
@Execution(ExecutionMode.CONCURRENT)
class SpillsTest {
    private static final int ARGUMENT_BYTES = 184;
    private static final Pattern KERNEL = Pattern.compile("entry function '(\\w+)'");
    private static final Pattern SPILL = Pattern.compile("(\\d+) bytes spill stores, (\\d+) bytes spill loads");

    /** One of them with unaligned rows of six packs a thread, which no plan chooses, may spill some bytes. */
    private static final String LONGEST_PULL = "ls_one_shot_pull_any";

    @ParameterizedTest
    @CsvSource({
        "sm_80, 4, bf16, 2880",
        "sm_90, 8, bf16, 4096",
        "sm_90, 4, bf16, 7168",
        "sm_90, 8, fp32, 8192",
        "sm_100, 8, bf16, 8192",
        "sm_120, 2, fp16, 7168"
    })
    void nvccCompilesTheKernelsWithoutSpills(
            String architecture, int ranks, String dtype, int hidden, @TempDir Path folder) throws Exception {
        KernelOptions options = new KernelOptions(ranks, DType.of(dtype), hidden, true, true);
        String said = said(architecture, options.defines(1), folder);

        for (Exchange exchange : Exchange.values()) {
            assertThat(said).contains("'" + exchange.entry(true) + "'").contains("'" + exchange.entry(false) + "'");
        }
        assertThat(spilling(said)).isEmpty();
    }

    @Tag("slow")
    @ParameterizedTest
    @CsvSource({"sm_80", "sm_90", "sm_100", "sm_120"})
    void norDoesItForAnyOfTheseRows(String architecture, @TempDir Path folder) throws Exception {
        for (DType dtype : DType.values()) {
            for (int hidden : new int[] {2880, 4096, 5120, 7168, 8192, 16384}) {
                for (int ranks = 2; ranks <= 8; ranks++) {
                    if (hidden * dtype.bytes() <= 32 * 1024) {
                        KernelOptions options = new KernelOptions(ranks, dtype, hidden, true, true);
                        assertThat(spilling(said(architecture, options.defines(1), folder)))
                                .as(options.toString())
                                .filteredOn(kernel -> hidden < 16384 || !kernel.equals(LONGEST_PULL))
                                .isEmpty();
                    }
                }
            }
        }
    }

    /** As many warps as a block may have leave each thread too few registers for three packs. */
    @Test
    void tooManyWarpsForALongRowAreSeenToSpill(@TempDir Path folder) throws Exception {
        KernelOptions options = new KernelOptions(2, DType.BF16, 16384, true, true);
        List<String> defines = options.defines(1).stream()
                .map(define -> define.startsWith("LS_ROW_WARPS=") ? "LS_ROW_WARPS=31" : define)
                .toList();
        assertThat(spilling(said("sm_90", defines, folder))).contains("ls_two_shot_push", "ls_two_shot_push_any");
    }

    private static String said(String architecture, List<String> defines, Path folder) throws Exception {
        assumeThat(Tools.find("nvcc"))
                .as("nvcc, the compiler of CUDA's toolkit")
                .isPresent();
        Path source = Files.writeString(folder.resolve("kernels.cu"), KernelSource.text());
        List<String> command = new ArrayList<>(List.of(
                Tools.find("nvcc").orElseThrow().toString(),
                "-arch=" + architecture,
                "-std=c++17",
                "--fmad=false",
                "-DLS_PTX=86",
                "-Xptxas",
                "-v"));
        defines.forEach(define -> command.add("-D" + define));
        command.addAll(List.of("-cubin", "-o", folder.resolve("kernels.cubin").toString(), source.toString()));
        return Tools.run(command);
    }

    /** The kernels that keep registers in memory, by what ptxas says. */
    private static List<String> spilling(String said) {
        assertThat(SPILL.matcher(said).find()).as(said).isTrue();
        List<String> spilling = new ArrayList<>();
        String kernel = "";
        for (String line : said.lines().toList()) {
            Matcher entry = KERNEL.matcher(line);
            kernel = entry.find() ? entry.group(1) : kernel;
            Matcher spill = SPILL.matcher(line);
            if (spill.find() && !(spill.group(1) + spill.group(2)).equals("00")) {
                spilling.add(kernel);
            }
        }
        return spilling;
    }

    @ParameterizedTest
    @CsvSource({"GFX90A, 4096", "GFX1100, 4096", "GFX942, 7168", "GFX1250, 7168"})
    void clangCompilesThemForEightAmdGpusWithoutScratchMemory(AmdgcnArch arch, int hidden) {
        assertThat(scratch(arch, new KernelOptions(8, DType.BF16, hidden, true, true).defines(0)))
                .isEmpty();
    }

    /** That the code object tells of scratch memory is shown with the inspection's tests. */
    private static List<String> scratch(AmdgcnArch arch, List<String> defines) {
        byte[] code = Needs.clang().compile(KernelSource.text(), HipCompiler.options(arch, defines));
        CodeObject object = CodeObject.read(code);
        Stream<IsaFinding> findings = AmdgcnInspection.codeObject(arch, object, 0, ARGUMENT_BYTES).stream();
        return findings.filter(finding -> finding.rule() == AmdgcnRule.SCRATCH)
                .map(IsaFinding::toString)
                .toList();
    }
}
