package io.lockstep.gpu.inspect;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The instructions of one entry point and the ways between them.
 *
 * <p>The pollers do each of their steps under a condition of its own, which is always the same one. So a fence that is
 * jumped over by the threads that do not poll counts as done by those that do: the way around it is left out.
 */
final class PtxKernel {
    private final String name;
    private final List<PtxInstruction> code;
    private final List<List<Integer>> next = new ArrayList<>();
    private final List<List<Integer>> before = new ArrayList<>();
    private final List<Integer> unknownJumps = new ArrayList<>();

    /**
     * Finds the ways.
     *
     * @param labels the number of the instruction that follows each
     */
    PtxKernel(String name, List<PtxInstruction> code, Map<String, Integer> labels) {
        this.name = name;
        this.code = List.copyOf(code);
        for (int at = 0; at < code.size(); at++) {
            next.add(new ArrayList<>());
            before.add(new ArrayList<>());
        }
        for (int at = 0; at < code.size(); at++) {
            PtxInstruction instruction = code.get(at);
            if (instruction.jumps()) {
                Integer target = labels.get(instruction.operands());
                if (target == null) {
                    unknownJumps.add(at);
                } else if (!(instruction.guarded() && onlyFencesAreSkipped(at, target))) {
                    way(at, target);
                }
            }
            if (instruction.guarded() || !(instruction.jumps() || instruction.ends())) {
                way(at, at + 1);
            }
        }
    }

    private void way(int from, int to) {
        if (to < code.size()) {
            next.get(from).add(to);
            before.get(to).add(from);
        }
    }

    private boolean onlyFencesAreSkipped(int jump, int target) {
        boolean fence = false;
        for (int at = jump + 1; at < target; at++) {
            PtxInstruction skipped = code.get(at);
            if (skipped.jumps() || skipped.ends() || skipped.accessesGlobalMemory()) {
                return false;
            }
            fence |= skipped.fences();
        }
        return fence;
    }

    String name() {
        return name;
    }

    List<PtxInstruction> code() {
        return code;
    }

    List<Integer> unknownJumps() {
        return unknownJumps;
    }

    /** The numbers of the instructions with a mark. */
    List<Integer> marked(String mark) {
        List<Integer> found = new ArrayList<>();
        for (int at = 0; at < code.size(); at++) {
            if (code.get(at).mark().equals(mark)) {
                found.add(at);
            }
        }
        return found;
    }

    /**
     * A way backwards from an instruction on which something bad, or the beginning, comes before the good.
     *
     * @return the line of the bad instruction, or that of the first one
     */
    Optional<Integer> badBefore(int from, Predicate<PtxInstruction> good, Predicate<PtxInstruction> bad) {
        return bad(from, before, good, bad);
    }

    /** The same forwards: something bad, or the end, comes before the good. */
    Optional<Integer> badAfter(int from, Predicate<PtxInstruction> good, Predicate<PtxInstruction> bad) {
        return bad(from, next, good, bad);
    }

    private Optional<Integer> bad(
            int from, List<List<Integer>> ways, Predicate<PtxInstruction> good, Predicate<PtxInstruction> bad) {
        BitSet seen = new BitSet();
        Deque<Integer> open = new ArrayDeque<>(List.of(from));
        while (!open.isEmpty()) {
            int at = open.pop();
            if (ways.get(at).isEmpty()) {
                return Optional.of(code.get(at).line());
            }
            for (int step : ways.get(at)) {
                if (seen.get(step) || good.test(code.get(step))) {
                    continue;
                }
                seen.set(step);
                if (bad.test(code.get(step))) {
                    return Optional.of(code.get(step).line());
                }
                open.push(step);
            }
        }
        return Optional.empty();
    }
}
