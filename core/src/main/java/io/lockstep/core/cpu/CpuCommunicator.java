package io.lockstep.core.cpu;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;
import io.lockstep.core.PeerLostException;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.UsageException;
import io.lockstep.core.group.Membership;
import io.lockstep.core.group.SharedMemory;
import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.planning.Agreement;
import io.lockstep.core.planning.Crossover;
import io.lockstep.core.planning.UseGuard;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A rank among CPU ranks. */
final class CpuCommunicator implements Communicator, Watch {
    private static final int MOST_KEPT_PLANS = 16;

    private final GroupSpec spec;
    private final Membership membership;
    private final Machine machine;
    private final Waiting waiting;
    private final SharedWords words;
    private final int vectorBits;
    private final Arena arena = Arena.ofShared();
    private final Standing standing;
    private final Agreement agreement;
    private final Regions regions;
    private final UseGuard guard;
    private final Map<String, CpuPlan> kept = new LinkedHashMap<>();
    private final List<CpuPlan> open = new ArrayList<>();
    private final List<Integer> closedPlans = new ArrayList<>();
    private int calls;
    private int plans;
    private int tokens;
    private int planInCall;

    CpuCommunicator(GroupSpec spec, Membership membership, SharedWords words, int vectorBits) {
        this.spec = spec;
        this.membership = membership;
        guard = new UseGuard(membership.rank());
        this.words = words;
        this.vectorBits = vectorBits;
        agreement = new Agreement(membership, spec.joinTimeout());
        SharedMemory memory = membership.memory();
        regions = new Regions(memory, GroupLayout.BYTES);
        if (membership.rank() == 0) {
            regions.open();
        }
        machine = Machine.agree(spec, membership, agreement);
        waiting = Waiting.of(machine.crowded(), spec.callTimeout());
        MemorySegment control = memory.map(0, regions.firstBytes(), arena);
        standing = new Standing(control, words);
    }

    @Override
    public int rank() {
        return membership.rank();
    }

    @Override
    public int worldSize() {
        return membership.worldSize();
    }

    SharedMemory memory() {
        return membership.memory();
    }

    SharedWords words() {
        return words;
    }

    int vectorBits() {
        return vectorBits;
    }

    Machine machine() {
        return machine;
    }

    Agreement agreement() {
        return agreement;
    }

    Standing standing() {
        return standing;
    }

    /** The processor of each lane of this rank; null leaves the threads unbound. */
    int @Nullable [] processors() {
        return spec.bindThreads() ? machine.processorsOf(membership.rank()) : null;
    }

    Waiter waiter(MemorySegment memory) {
        return new Waiter(words, waiting, this, memory, membership.rank(), machine.canSleepOnWords());
    }

    @Override
    public Plan plan(Operation operation) {
        return plan(operation, "", Lane::new);
    }

    /**
     * @param peculiarity what sets this plan apart from others of the same operation, part of what all ranks must agree
     *     on
     */
    CpuPlan plan(Operation operation, String peculiarity, CpuPlan.LaneMaker maker) {
        CpuPlan plan;
        enter();
        try {
            plan = planTogether(operation, peculiarity, maker);
        } catch (RuntimeException | Error e) {
            throw failing(e);
        } finally {
            exit();
        }
        if (operation.algorithm() == Algorithm.AUTO && !isPair()) {
            try {
                int most = Math.clamp(CpuTrial.MOST_BYTES / operation.rowBytes(), 1, operation.maxTokens());
                plan.choose(new Crossover(agreement, rank(), operation, circumstances())
                        .find(most, tokens -> new CpuTrial(plan, tokens, machine.crowded())));
            } catch (RuntimeException | Error e) {
                throw failing(e);
            }
        }
        return plan;
    }

    /**
     * Two ranks that do not take turns use one-shot. Two-shot gains them a tenth at most where their cores are near
     * each other, and takes 1.7 times as long where they are far; ranks move between the two within seconds, and a
     * choice stays.
     */
    private boolean isPair() {
        return worldSize() == 2 && !machine.crowded();
    }

    /** What the speed of the algorithms depends on, beside the operation. */
    private String circumstances() {
        return "cpu " + Machine.processorModel() + ", processors "
                + machine.processors().size() + " crowded " + machine.crowded() + " lanes " + machine.lanes()
                + " world " + worldSize() + " vectors " + vectorBits + " two-shot below " + CpuTrial.CLEARLY;
    }

    private CpuPlan planTogether(Operation operation, String peculiarity, CpuPlan.LaneMaker maker) {
        int id = plans + 1;
        agreement.requireSame("the plan", "plan " + id + ": " + operation + peculiarity);
        regions.giveBack(agreement.gather("closed plans", closedPlans.toString()));
        closedPlans.clear();
        PlanLayout layout = PlanLayout.of(operation, worldSize(), machine.lanes(), machine.crowded());
        long offset = regions.agreeOn(id, layout, membership.rank(), agreement);
        plans = id;
        CpuPlan plan = new CpuPlan(this, id, operation, layout, offset, maker);
        open.add(plan);
        Kernels.warmUp(operation.dtype(), vectorBits);
        agreement.gather("the plan's memory", "mapped");
        return plan;
    }

    @Override
    public void allReduce(MemorySegment inOut, DType dtype, int elements) {
        Operation operation = Operation.allReduce(dtype, elements, 1);
        String key = dtype + " " + elements;
        CpuPlan plan = keptPlan(key);
        if (plan == null) {
            plan = (CpuPlan) plan(operation);
            kept.put(key, plan);
        }
        plan.run(1, Tensors.of(inOut).withReduced(inOut));
    }

    /** The plan kept under this key; null if there is none, and room for it then. */
    private @Nullable CpuPlan keptPlan(String key) {
        enter();
        try {
            CpuPlan plan = kept.get(key);
            if (plan == null && kept.size() == MOST_KEPT_PLANS) {
                // The oldest one; the same on every rank, since every rank makes the same calls.
                CpuPlan oldest = kept.remove(kept.keySet().iterator().next());
                if (oldest != null) {
                    oldest.release();
                }
            }
            return plan;
        } finally {
            exit();
        }
    }

    /** Called by a plan that gives its memory back: it is free when every rank has said so. */
    void planClosed(CpuPlan plan) {
        open.remove(plan);
        closedPlans.add(plan.id());
    }

    /** At the start of every use. */
    void enter() {
        guard.enter();
    }

    /** Before memory is given back, be the communicator failed or closed: no call may be using it. */
    void enterToClose(String what) {
        guard.enterToClose(what);
    }

    /** At the end of every use. */
    void exit() {
        guard.exit();
    }

    /** Tells the group that this rank fails, unless the caller's arguments alone were wrong. */
    RuntimeException failing(Throwable e) {
        if (e instanceof UsageException usage) {
            return usage;
        }
        RuntimeException reason = guard.fail(e);
        standing.fail(membership.rank(), reason);
        if (e instanceof Error error) {
            throw error;
        }
        return reason;
    }

    /** Starts a call and returns its number. */
    int beginCall(int plan, int callTokens) {
        calls++;
        tokens = callTokens;
        planInCall = plan;
        standing.begin(membership.rank(), calls, plan, callTokens);
        return calls;
    }

    /**
     * The upper half of every signal of a call, clear where the place of an input goes: what all ranks must agree on.
     */
    long fingerprint(int plan, int number, int callTokens) {
        int mixed = (plan * 31 + number) * 0x9E3779B1 + callTokens * 0x85EBCA77;
        mixed ^= mixed >>> 15;
        return ((long) mixed << Integer.SIZE) & ~Lane.PLACE;
    }

    @Override
    public @Nullable RuntimeException whyNotWait(int peer) {
        RuntimeException mine = guard.failure();
        if (mine != null) {
            return mine;
        }
        for (int rank = 0; rank < worldSize(); rank++) {
            if (rank == membership.rank()) {
                continue;
            }
            String lost = membership.lost(rank);
            // Asked after that: who gives up says so first and leaves then, and why it did is the better answer.
            if (standing.hasFailed(rank)) {
                return standing.failure(rank, where() + ": " + membership.describe(rank) + " gave up. ");
            }
            if (lost != null) {
                return new PeerLostException(where() + ": " + lost + ".");
            }
            if (standing.makesAnotherCall(rank, calls, planInCall, tokens)) {
                return disagreement(rank);
            }
        }
        return null;
    }

    /** Calls that are paired in another order would mix up their data. Litmus order-differs. */
    @Override
    public DisagreementException disagreement(int peer) {
        return new DisagreementException("The ranks make different calls: " + where() + "; " + membership.describe(peer)
                + " " + lastHeard(peer) + ". Make the same calls in the same order"
                + " (why: lockstep litmus --explain order-differs).");
    }

    @Override
    public String where() {
        return "rank " + membership.rank() + " in call " + calls + " (plan " + planInCall + ", " + tokens + " tokens)";
    }

    @Override
    public String describe(int peer) {
        return membership.describe(peer);
    }

    @Override
    public String lastHeard(int peer) {
        return standing.lastHeard(peer);
    }

    @Override
    public void close() {
        enterToClose("the communicator");
        try {
            if (!guard.closed()) {
                List.copyOf(open).forEach(CpuPlan::release);
                guard.close();
                membership.close();
                arena.close();
            }
        } finally {
            exit();
        }
    }
}
