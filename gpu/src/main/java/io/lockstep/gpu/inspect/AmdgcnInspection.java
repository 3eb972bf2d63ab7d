package io.lockstep.gpu.inspect;

import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Compiled kernels for an AMD GPU against what their protocols demand: the listing, and what the code object says of
 * it.
 */
public final class AmdgcnInspection {
    /** The offset of {@code state} among the arguments. */
    private static final long STATE_ARGUMENT = 112;

    /** The kernels' names without their endings, and the protocols that they carry out. */
    private static final Map<String, Protocol> PROTOCOLS = new TreeMap<>(Map.of(
            "ls_one_shot_push", Protocols.oneShotPush(),
            "ls_two_shot_push", Protocols.twoShotPush(),
            "ls_one_shot_pull", Protocols.oneShotPull(),
            "ls_two_shot_pull", Protocols.twoShotPull()));

    private static final String ANY = "_any";

    private AmdgcnInspection() {}

    /**
     * What the listing breaks; nothing if it is right.
     *
     * @param listing of a compiler ({@code -S}) or a disassembler
     */
    public static List<IsaFinding> listing(AmdgcnArch arch, String listing) {
        List<IsaFinding> findings = new ArrayList<>();
        List<AmdgcnListing.Kernel> kernels = AmdgcnListing.kernels(listing);
        for (String name : PROTOCOLS.keySet()) {
            if (kernels.stream().noneMatch(kernel -> plain(kernel.name()).equals(name))) {
                findings.add(
                        new IsaFinding(AmdgcnRule.MISSING_STEP, name, 0, "the listing does not have this kernel."));
            }
        }
        for (AmdgcnListing.Kernel kernel : kernels) {
            AmdgcnOrder order = new AmdgcnOrder(arch, kernel);
            findings.addAll(new AmdgcnContent(arch, kernel).findings());
            findings.addAll(new AmdgcnScalarLoads(kernel, order.effects(), order.flow(), STATE_ARGUMENT).findings());
            Protocol protocol = PROTOCOLS.get(plain(kernel.name()));
            // A kernel without a protocol knows no peer.
            if (protocol != null) {
                findings.addAll(order.findings(Demand.of(protocol)));
            }
        }
        return findings;
    }

    /**
     * What a code object says of its kernels that differs from what they are launched with.
     *
     * @param threads of a work-group; 0 where it is not known
     * @param argumentBytes of the one argument
     */
    public static List<IsaFinding> codeObject(AmdgcnArch arch, CodeObject code, int threads, int argumentBytes) {
        List<IsaFinding> findings = new ArrayList<>();
        for (String name : PROTOCOLS.keySet()) {
            if (code.kernels().stream().noneMatch(kernel -> plain(kernel.name()).equals(name))) {
                findings.add(
                        new IsaFinding(AmdgcnRule.MISSING_STEP, name, 0, "the code object does not have this kernel."));
            }
        }
        for (CodeObject.Kernel kernel : code.kernels()) {
            compare(findings, kernel, AmdgcnRule.KERNARG, "bytes of arguments", kernel.argumentBytes(), argumentBytes);
            compare(findings, kernel, AmdgcnRule.WAVE, "threads of a wave", kernel.wave(), arch.wave());
            if (threads != 0) {
                compare(findings, kernel, AmdgcnRule.WORKGROUP, "threads of a work-group", kernel.threads(), threads);
            }
            compare(findings, kernel, AmdgcnRule.SCRATCH, "bytes of scratch memory", kernel.scratchBytes(), 0);
            compare(findings, kernel, AmdgcnRule.SCRATCH, "spilled vector registers", kernel.spilledVectors(), 0);
            if (!kernel.keepsSubnormals()) {
                findings.add(new IsaFinding(
                        AmdgcnRule.SUBNORMALS, kernel.name(), 0, "subnormal numbers are flushed to zero."));
            }
        }
        return findings;
    }

    private static void compare(
            List<IsaFinding> findings,
            CodeObject.Kernel kernel,
            AmdgcnRule rule,
            String what,
            long found,
            long expected) {
        if (found != expected) {
            findings.add(new IsaFinding(
                    rule,
                    kernel.name(),
                    0,
                    "the code object says " + found + " " + what + ", expected " + expected + "."));
        }
    }

    private static String plain(String kernel) {
        return kernel.endsWith(ANY) ? kernel.substring(0, kernel.length() - ANY.length()) : kernel;
    }
}
