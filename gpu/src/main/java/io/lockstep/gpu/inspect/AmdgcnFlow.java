package io.lockstep.gpu.inspect;

import io.lockstep.core.UsageException;
import io.lockstep.gpu.inspect.AmdgcnEffect.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntBinaryOperator;

/** Where control may go in a kernel, and facts that hold on every or on some way to an instruction. */
final class AmdgcnFlow {
    /** Not reached. */
    static final int NOWHERE = -1;

    /** What is known behind an instruction, from what is known in front of it. */
    interface Step {
        int after(int index, int before);
    }

    /** Whether control may go on from one instruction to another that follows it. */
    interface Edge {
        boolean isTaken(int from, int to);
    }

    private final List<AmdgcnEffect> effects;
    private final int[][] next;
    private final int[][] previous;

    AmdgcnFlow(AmdgcnListing.Kernel kernel, List<AmdgcnEffect> effects) {
        this.effects = effects;
        int count = kernel.instructions().size();
        next = new int[count][];
        List<List<Integer>> back = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            back.add(new ArrayList<>());
        }
        for (int i = 0; i < count; i++) {
            Kind kind = effects.get(i).kind();
            List<Integer> to = new ArrayList<>();
            if (kind == Kind.BRANCH || kind == Kind.JUMP) {
                AmdgcnInstruction branch = kernel.instructions().get(i);
                Integer target = kernel.labels().get(branch.operand(0));
                if (target == null) {
                    throw new UsageException("Line " + branch.line() + " of the listing branches to '"
                            + branch.operand(0) + "', which it does not have: expected a label. Disassemble with"
                            + " --symbolize-operands.");
                }
                to.add(target);
            }
            if (kind != Kind.JUMP && kind != Kind.END) {
                to.add(i + 1);
            }
            next[i] = to.stream()
                    .mapToInt(Integer::intValue)
                    .filter(at -> at < count)
                    .toArray();
            for (int at : next[i]) {
                back.get(at).add(i);
            }
        }
        previous = back.stream()
                .map(list -> list.stream().mapToInt(Integer::intValue).toArray())
                .toArray(int[][]::new);
    }

    /**
     * What is known in front of each instruction.
     *
     * @param entry what is known at the beginning, not negative
     * @param join of what is known on two ways to one place
     */
    int[] solve(int entry, IntBinaryOperator join, Step step) {
        return solve(entry, join, step, (from, to) -> true);
    }

    /** As above, along those edges alone that a way may take. */
    int[] solve(int entry, IntBinaryOperator join, Step step, Edge taken) {
        int[] known = new int[next.length];
        Arrays.fill(known, NOWHERE);
        ArrayDeque<Integer> open = new ArrayDeque<>();
        if (known.length > 0) {
            known[0] = entry;
            open.add(0);
        }
        while (!open.isEmpty()) {
            int at = open.remove();
            int after = step.after(at, known[at]);
            for (int to : next[at]) {
                if (!taken.isTaken(at, to)) {
                    continue;
                }
                int joined = known[to] == NOWHERE ? after : join.applyAsInt(known[to], after);
                if (joined != known[to]) {
                    known[to] = joined;
                    open.add(to);
                }
            }
        }
        return known;
    }

    /** Where control may go from an instruction. */
    int[] next(int index) {
        return next[index];
    }

    /** The barriers that come first on some way from these instructions, or last on some way to them. */
    BitSet barriersNextTo(BitSet from, boolean forward) {
        BitSet found = new BitSet();
        spread(from, forward, new BitSet(), found);
        return found;
    }

    /** The instructions from which some way leads to one of these without a barrier and past none of the others. */
    BitSet leadingTo(BitSet to, BitSet past) {
        return spread(to, false, past, new BitSet());
    }

    /** The instructions to which some way leads from this one without a barrier. */
    BitSet leadingFrom(int from) {
        BitSet start = new BitSet();
        start.set(from);
        return spread(start, true, new BitSet(), new BitSet());
    }

    private BitSet spread(BitSet from, boolean forward, BitSet past, BitSet barriers) {
        int[][] edges = forward ? next : previous;
        BitSet seen = new BitSet();
        ArrayDeque<Integer> open = new ArrayDeque<>();
        from.stream().forEach(open::add);
        while (!open.isEmpty()) {
            for (int to : edges[open.remove()]) {
                if (effects.get(to).kind() == Kind.BARRIER) {
                    barriers.set(to);
                } else if (!seen.get(to) && !past.get(to)) {
                    seen.set(to);
                    open.add(to);
                }
            }
        }
        return seen;
    }
}
