package io.lockstep.gpu.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.core.DType;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShippedCodeTest {
    private static final KernelOptions OPTIONS = new KernelOptions(2, DType.BF16, 2880, true, true);

    @Test
    void aFileServesEveryRankAndNoOtherKernels() {
        String name = ShippedCode.name("source", "sm_90", OPTIONS.defines());
        assertThat(name).matches("sm_90-[0-9a-f]{24}\\.cubin");
        assertThat(ShippedCode.name("source", "sm_90", OPTIONS.defines(0))).isEqualTo(name);
        assertThat(ShippedCode.name("source", "sm_90", OPTIONS.defines(1))).isEqualTo(name);
        assertThat(ShippedCode.name("other", "sm_90", OPTIONS.defines())).isNotEqualTo(name);
        assertThat(ShippedCode.name("source", "sm_80", OPTIONS.defines())).isNotEqualTo(name);
        assertThat(ShippedCode.name("source", "sm_90", new KernelOptions(4, DType.BF16, 2880, true, true).defines()))
                .isNotEqualTo(name);
    }

    @Test
    void kernelsThatWereNotShippedAreNotFound() {
        assertThat(ShippedCode.find("no such source", "sm_90", OPTIONS.defines(0)))
                .isEmpty();
        assertThat(ShippedCode.find("no such source", "unknown", OPTIONS.defines(0)))
                .isEmpty();
    }

    /** A build gives the same jar again: nothing of the place or the time is in the code. */
    @Test
    void nvccMakesTheSameCodeAgain() {
        assumeThat(CudaCompiler.nvcc())
                .as("nvcc, the compiler of CUDA's toolkit")
                .isNotNull();
        List<String> defines = new KernelOptions(2, DType.BF16, 8, false, false).defines();
        byte[] first = new CudaCompiler().compileByNvcc(KernelSource.text(), "sm_90", defines);
        assertThat(first).startsWith(0x7F, 'E', 'L', 'F');
        assertThat(new CudaCompiler().compileByNvcc(KernelSource.text(), "sm_90", defines))
                .isEqualTo(first);
    }
}
