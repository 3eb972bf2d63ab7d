package io.lockstep.gpu.inspect;

import java.util.ArrayList;
import java.util.List;

/** Which instructions a kernel may hold at all. */
final class AmdgcnContent {
    private final AmdgcnArch arch;
    private final AmdgcnListing.Kernel kernel;
    private final List<IsaFinding> findings = new ArrayList<>();

    AmdgcnContent(AmdgcnArch arch, AmdgcnListing.Kernel kernel) {
        this.arch = arch;
        this.kernel = kernel;
    }

    List<IsaFinding> findings() {
        List<AmdgcnInstruction> code = kernel.instructions();
        for (int i = 0; i < code.size(); i++) {
            AmdgcnInstruction instruction = code.get(i);
            AmdgcnEffect effect = AmdgcnEffect.of(arch, code, i);
            switch (effect.kind()) {
                case FLAT -> find(AmdgcnRule.FLAT, instruction, "leaves open which memory it goes to.");
                case SCRATCH -> find(AmdgcnRule.SCRATCH, instruction, "uses scratch memory.");
                case UNKNOWN -> find(AmdgcnRule.UNKNOWN, instruction, "is not known to the inspection.");
                case LOAD, STORE -> {
                    if (instruction.modifiers().stream().anyMatch(AmdgcnContent::isHint)) {
                        find(AmdgcnRule.HINT, instruction, "carries a hint about caching.");
                    }
                }
                default -> {}
            }
        }
        return findings;
    }

    private void find(AmdgcnRule rule, AmdgcnInstruction instruction, String text) {
        findings.add(new IsaFinding(rule, kernel.name(), instruction.line(), "'" + instruction + "' " + text));
    }

    private static boolean isHint(String modifier) {
        return modifier.equals("nt") || modifier.equals("slc") || modifier.startsWith("th:");
    }
}
