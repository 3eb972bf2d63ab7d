package io.lockstep.cli.doctor;

import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.hip.HipDriver;
import io.lockstep.gpu.hip.HipInspection;
import io.lockstep.gpu.inspect.AmdgcnArch;

/**
 * What is known here of the kernels for AMD GPUs: whether they compile, whether the code is right, whether it can run.
 */
final class AmdKernels {
    private static final String SUBJECT = "amd kernels";

    private AmdKernels() {}

    static Finding examine() {
        HipDriver driver = new HipDriver();
        boolean device = driver.probe() instanceof Readiness.Ready;
        AmdgcnArch arch = device ? AmdgcnArch.of(driver.devices().getFirst().architecture()) : AmdgcnArch.GFX942;
        String here = device ? "; a device is here" : "; no device here";
        HipInspection inspection;
        try {
            inspection = HipInspection.ofKernels(arch);
        } catch (DriverException e) {
            String sentence = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            return Finding.warning(SUBJECT, "not compiled for " + arch.label() + here + ". " + sentence);
        }
        if (!inspection.findings().isEmpty()) {
            return Finding.missing(
                    SUBJECT,
                    "compiled for " + arch.label() + ", and wrong: "
                            + inspection.findings().getFirst() + " Run 'lockstep litmus --isa " + arch.label() + "'.");
        }
        return inspection.disassembled()
                ? Finding.ok(SUBJECT, "compiled and inspected for " + arch.label() + here)
                : Finding.warning(
                        SUBJECT, "compiled for " + arch.label() + ", not inspected: llvm-objdump was not found" + here);
    }
}
