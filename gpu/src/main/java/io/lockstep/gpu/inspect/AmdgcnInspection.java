package io.lockstep.gpu.inspect;

import io.lockstep.core.UsageException;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.gpu.kernel.KernelOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

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
     * What a code object breaks; nothing if it is right.
     *
     * @param disassembly its listing
     * @param threads of a work-group that it is launched with; 0 where it is not known
     * @throws UsageException if the kernels are not compiled for its architecture, or the listing is none
     */
    public static List<IsaFinding> code(CodeObject code, String disassembly, int threads) {
        AmdgcnArch arch = AmdgcnArch.of(code.architecture());
        List<IsaFinding> findings = new ArrayList<>(codeObject(arch, code, threads, KernelOptions.ARGUMENT_BYTES));
        Map<String, Long> groups = code.kernels().stream()
                .collect(Collectors.toMap(CodeObject.Kernel::name, CodeObject.Kernel::threads, Math::max));
        findings.addAll(listing(arch, disassembly, groups));
        return findings;
    }

    /**
     * What a compiler's listing ({@code -S}) breaks; nothing if it is right.
     *
     * @throws UsageException if it is none
     */
    public static List<IsaFinding> listing(AmdgcnArch arch, String listing) {
        return listing(arch, listing, AmdgcnListing.groups(listing));
    }

    /** @param groups threads of a work-group of each kernel; more than a wave's where it is not known */
    private static List<IsaFinding> listing(AmdgcnArch arch, String listing, Map<String, Long> groups) {
        List<IsaFinding> findings = new ArrayList<>();
        List<AmdgcnListing.Kernel> kernels = AmdgcnListing.kernels(listing);
        for (String name : PROTOCOLS.keySet()) {
            if (kernels.stream().noneMatch(kernel -> plain(kernel.name()).equals(name))) {
                findings.add(
                        new IsaFinding(AmdgcnRule.MISSING_STEP, name, 0, "the listing does not have this kernel."));
            }
        }
        for (AmdgcnListing.Kernel kernel : kernels) {
            boolean alone = groups.getOrDefault(kernel.name(), Long.MAX_VALUE) <= arch.wave();
            AmdgcnOrder order = new AmdgcnOrder(arch, kernel, alone);
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
