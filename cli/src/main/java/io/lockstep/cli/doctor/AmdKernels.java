package io.lockstep.cli.doctor;

import io.lockstep.core.DType;
import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.hip.Disassembler;
import io.lockstep.gpu.hip.HipCompiler;
import io.lockstep.gpu.hip.HipDriver;
import io.lockstep.gpu.inspect.AmdgcnArch;
import io.lockstep.gpu.inspect.AmdgcnInspection;
import io.lockstep.gpu.inspect.CodeObject;
import io.lockstep.gpu.inspect.IsaFinding;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is known here of the kernels for AMD GPUs: whether they compile, whether the code is right, whether it can run.
 */
final class AmdKernels {
    private static final String SUBJECT = "amd kernels";
    private static final KernelOptions OPTIONS = new KernelOptions(4, DType.BF16, 2880, true, true);
    private static final int ARGUMENT_BYTES = 184;

    private AmdKernels() {}

    static Finding examine() {
        HipDriver driver = new HipDriver();
        boolean device = driver.probe() instanceof Readiness.Ready;
        AmdgcnArch arch = device ? AmdgcnArch.of(driver.devices().getFirst().architecture()) : AmdgcnArch.GFX942;
        String here = device ? "; a device is here" : "; no device here";
        byte[] code;
        try {
            code = new HipCompiler().compile(KernelSource.text(), arch.label(), OPTIONS.defines(0));
        } catch (DriverException e) {
            String sentence = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            return Finding.warning(SUBJECT, "not compiled for " + arch.label() + here + ". " + sentence);
        }
        CodeObject object = CodeObject.read(code);
        List<IsaFinding> findings =
                new ArrayList<>(AmdgcnInspection.codeObject(arch, object, OPTIONS.threads(), ARGUMENT_BYTES));
        @Nullable Disassembler disassembler = Disassembler.find();
        if (disassembler != null) {
            findings.addAll(AmdgcnInspection.listing(arch, disassembler.listing(code)));
        }
        if (!findings.isEmpty()) {
            return Finding.missing(
                    SUBJECT,
                    "compiled for " + arch.label() + ", and wrong: " + findings.getFirst()
                            + " Run 'lockstep litmus --isa " + arch.label() + "'.");
        }
        return disassembler == null
                ? Finding.warning(
                        SUBJECT, "compiled for " + arch.label() + ", not inspected: llvm-objdump was not found" + here)
                : Finding.ok(SUBJECT, "compiled and inspected for " + arch.label() + here);
    }
}
