package io.lockstep.gpu.inspect;

import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.gpu.kernel.Exchange;
import java.util.ArrayList;
import java.util.List;

/**
 * Compiled kernels for NVIDIA GPUs against what their protocols demand, on the text that the compiler hands to the
 * assembler. Every way through a kernel is followed: what a flag has to carry must be fenced on all of them.
 */
public final class PtxInspection {
    private static final String REARMED = "REARMED";

    private PtxInspection() {}

    /**
     * What the text breaks; nothing if it is right. Kernels that know no peer are not asked for anything.
     *
     * @param ptx of nvcc or NVRTC, whose comments name the accesses to flags
     */
    public static List<IsaFinding> listing(String ptx) {
        List<IsaFinding> findings = new ArrayList<>();
        List<PtxKernel> kernels = PtxListing.kernels(ptx);
        for (Exchange exchange : Exchange.values()) {
            Protocol protocol = Protocols.named(exchange.label()).orElseThrow();
            List<PtxKernel> own = kernels.stream()
                    .filter(kernel -> kernel.name().equals(exchange.entry(true))
                            || kernel.name().equals(exchange.entry(false)))
                    .toList();
            if (own.isEmpty()) {
                findings.add(new IsaFinding(
                        PtxRule.MISSING_STEP, exchange.entry(false), 0, "the text does not have this kernel."));
            }
            own.forEach(kernel -> new Kernel(kernel, Demand.of(protocol), findings).inspect());
        }
        return findings;
    }

    private record Kernel(PtxKernel kernel, Demand demand, List<IsaFinding> findings) {
        void inspect() {
            for (int at : kernel.unknownJumps()) {
                find(PtxRule.UNKNOWN, kernel.code().get(at).line(), "a jump whose targets are not in the text.");
            }
            flag(REARMED, false);
            demand.flags().forEach(flag -> flag(flag, true));
            words();
        }

        private void find(PtxRule rule, int line, String text) {
            findings.add(new IsaFinding(rule, kernel.name(), line, text));
        }

        private void flag(String flag, boolean barrier) {
            List<Integer> stores = kernel.marked("store." + flag);
            List<Integer> polls = kernel.marked("await." + flag);
            if (stores.isEmpty()) {
                find(PtxRule.MISSING_STEP, 0, "the flag " + flag + " is never stored.");
            }
            if (polls.isEmpty()) {
                find(PtxRule.MISSING_STEP, 0, "the flag " + flag + " is never awaited.");
            }
            stores.forEach(at -> store(flag, barrier, at));
            polls.forEach(at -> poll(flag, barrier, at));
        }

        private void store(String flag, boolean barrier, int at) {
            PtxInstruction store = kernel.code().get(at);
            if (!store.opcode().matches("st\\.(relaxed|release)\\.sys\\.global\\.u32")) {
                find(PtxRule.FLAG_STORE, store.line(), "the flag " + flag + " is stored by " + store.opcode() + ".");
            }
            if (!store.opcode().startsWith("st.release.sys")) {
                kernel.badBefore(at, PtxInstruction::releasesToTheSystem, PtxInstruction::isBlockBarrier)
                        .ifPresent(line -> find(
                                PtxRule.RELEASE,
                                store.line(),
                                "the flag " + flag + " is stored, on the way from line " + line
                                        + ", without a release to the system."));
            }
            if (barrier) {
                kernel.badBefore(at, PtxInstruction::isBlockBarrier, step -> step.stores() && step.isWeak())
                        .ifPresent(line -> find(
                                PtxRule.BARRIER_BEFORE_FLAG,
                                store.line(),
                                "no barrier of the block lies between line " + line + " and the store of the flag "
                                        + flag + "."));
            }
        }

        private void poll(String flag, boolean barrier, int at) {
            PtxInstruction poll = kernel.code().get(at);
            if (!poll.opcode().matches("ld\\.(relaxed|acquire)\\.sys\\.global\\.u32")) {
                find(PtxRule.POLL, poll.line(), "the flag " + flag + " is polled by " + poll.opcode() + ".");
            }
            if (!poll.opcode().startsWith("ld.acquire.sys")) {
                kernel.badAfter(
                                at,
                                PtxInstruction::acquiresFromTheSystem,
                                step -> step.isBlockBarrier() || step.loads() && step.isWeak())
                        .ifPresent(line -> find(
                                PtxRule.ACQUIRE,
                                poll.line(),
                                "the flag " + flag + " is polled, and line " + line
                                        + " comes before an acquire from the system."));
            }
            if (barrier) {
                kernel.badAfter(at, PtxInstruction::isBlockBarrier, step -> step.loads() && step.isWeak())
                        .ifPresent(line -> find(
                                PtxRule.BARRIER_AFTER_POLL,
                                poll.line(),
                                "no barrier of the block lies between the poll of the flag " + flag + " and line "
                                        + line + "."));
            }
        }

        /** Words are told by their address; what pull stages and shares is ordered by the barriers instead. */
        private void words() {
            PtxAddresses addresses = new PtxAddresses(kernel);
            boolean sent = false;
            boolean received = false;
            for (PtxInstruction access : kernel.code()) {
                if (!access.accessesGlobalMemory() || !addresses.isShared(access)) {
                    continue;
                }
                if (access.opcode().contains(".nc")) {
                    find(PtxRule.NON_COHERENT, access.line(), access.opcode() + " reads memory that peers write.");
                }
                if (!access.mark().isEmpty()) {
                    continue;
                }
                boolean narrow = !access.isWeak() && !access.opcode().contains(".sys.");
                if (narrow || demand.words() && access.isWeak()) {
                    find(
                            PtxRule.WORDS,
                            access.line(),
                            access.opcode() + " accesses memory that peers reach: expected"
                                    + " an atomic access for the system.");
                }
                sent |= access.opcode().equals("st.relaxed.sys.global.v4.u32");
                received |= access.opcode().equals("ld.relaxed.sys.global.v4.u32");
            }
            if (!sent) {
                find(PtxRule.MISSING_STEP, 0, "no word is sent or re-armed.");
            }
            if (demand.words() && !received) {
                find(PtxRule.MISSING_STEP, 0, "no word is received.");
            }
        }
    }
}
