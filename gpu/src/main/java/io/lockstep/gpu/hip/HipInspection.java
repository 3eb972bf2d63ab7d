package io.lockstep.gpu.hip;

import io.lockstep.core.DType;
import io.lockstep.core.DriverException;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.inspect.AmdgcnArch;
import io.lockstep.gpu.inspect.AmdgcnInspection;
import io.lockstep.gpu.inspect.CodeObject;
import io.lockstep.gpu.inspect.IsaFinding;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a code object was found to hold.
 *
 * @param arch that it is for
 * @param compiler that made it; empty where it was given
 * @param kernels in it
 * @param disassembled whether its instructions were looked at: not where there is no disassembler
 * @param findings what is wrong
 */
public record HipInspection(
        AmdgcnArch arch, String compiler, int kernels, boolean disassembled, List<IsaFinding> findings) {
    /** What every shape has in common is inspected on one of them: four ranks, bf16, rows of gpt-oss. */
    private static final KernelOptions OPTIONS = new KernelOptions(4, DType.BF16, 2880, true, true);

    /** Keeps its own list. */
    public HipInspection {
        findings = List.copyOf(findings);
    }

    /**
     * Of the kernels, compiled for an architecture.
     *
     * @throws DriverException if no compiler of this machine compiles them
     */
    public static HipInspection ofKernels(AmdgcnArch arch) {
        HipCompiler.Compiled compiled = new HipCompiler().compiled(KernelSource.text(), arch, OPTIONS.defines(0));
        return of(compiled.code(), compiled.compiler(), OPTIONS.threads());
    }

    /**
     * Of a code object whose shape is not known.
     *
     * @throws UsageException if it is none, or of an architecture that the kernels are not compiled for
     */
    public static HipInspection ofCodeObject(byte[] code) {
        return of(code, "", 0);
    }

    private static HipInspection of(byte[] code, String compiler, int threads) {
        CodeObject object = CodeObject.read(code);
        AmdgcnArch arch = AmdgcnArch.of(object.architecture());
        @Nullable Disassembler disassembler = Disassembler.find();
        List<IsaFinding> findings = disassembler == null
                ? AmdgcnInspection.codeObject(arch, object, threads, KernelOptions.ARGUMENT_BYTES)
                : AmdgcnInspection.code(object, disassembler.listing(code), threads);
        return new HipInspection(arch, compiler, object.kernels().size(), disassembler != null, findings);
    }
}
