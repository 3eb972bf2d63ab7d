package io.lockstep.litmus.file;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Every run of one thread, with every value that each of its reads might return. Loops go round twice at most. */
final class Runs {
    /** What one instruction did: the value read and the value written, where there is one, and what it depends on. */
    record Act(Instruction instruction, long read, long written, boolean writes, Set<Integer> dependsOn) {}

    /** A run: what it did, and the registers at its end. */
    record Run(List<Act> acts, Map<String, Long> registers) {}

    private static final int ROUNDS = 2;
    private static final int LIMIT = 200_000;

    private final LitmusFile.Column thread;
    private final Set<Long> values;
    private final Map<String, Integer> labels = new HashMap<>();
    private final List<Run> runs = new ArrayList<>();

    private Runs(LitmusFile.Column thread, Set<Long> values) {
        this.thread = thread;
        this.values = values;
        for (int i = 0; i < thread.instructions().size(); i++) {
            if (thread.instructions().get(i) instanceof Instruction.Label label) {
                labels.put(label.name(), i);
            }
        }
    }

    /** Every run of every thread, over all values that a run can write. */
    static List<List<Run>> of(LitmusFile file) {
        Set<Long> values = new TreeSet<>(file.initial().values());
        values.add(0L);
        List<List<Run>> all = List.of();
        // Three rounds reach every sum that a test of a few increments can make.
        for (int round = 0; round < 4; round++) {
            all = new ArrayList<>();
            Set<Long> written = new TreeSet<>(values);
            for (LitmusFile.Column thread : file.threads()) {
                Runs runs = new Runs(thread, values);
                runs.step(0, List.of(), new HashMap<>(thread.registers()), new HashMap<>(), Set.of(), Map.of());
                all.add(runs.runs);
                for (Run run : runs.runs) {
                    run.acts().stream().filter(Act::writes).forEach(act -> written.add(act.written()));
                }
            }
            if (!values.addAll(written)) {
                break;
            }
        }
        return all;
    }

    /** One more instruction. Registers carry the reads that they depend on, control those that decided a branch. */
    private void step(
            int at,
            List<Act> acts,
            Map<String, Long> registers,
            Map<String, Set<Integer>> depends,
            Set<Integer> control,
            Map<Integer, Integer> visits) {
        if (runs.size() > LIMIT) {
            throw new UnsupportedLitmusException("a thread with more than " + LIMIT + " runs");
        }
        if (at == thread.instructions().size()) {
            runs.add(new Run(acts, registers));
            return;
        }
        Instruction instruction = thread.instructions().get(at);
        switch (instruction) {
            case Instruction.Label label -> {
                int visit = visits.getOrDefault(at, 0) + 1;
                if (visit <= ROUNDS) {
                    Map<Integer, Integer> more = new HashMap<>(visits);
                    more.put(at, visit);
                    step(at + 1, acts, registers, depends, control, more);
                }
            }
            case Instruction.Jump jump -> {
                boolean equal = value(jump.left(), registers) == value(jump.right(), registers);
                Set<Integer> decided = union(control, depends.get(jump.left()), depends.get(jump.right()));
                Integer label = labels.get(jump.label());
                if (label == null) {
                    throw new UnsupportedLitmusException("a jump to '" + jump.label() + "', which is nowhere");
                }
                step(equal == jump.ifEqual() ? label : at + 1, acts, registers, depends, decided, visits);
            }
            case Instruction.Move move -> {
                Map<String, Long> next = new HashMap<>(registers);
                Map<String, Set<Integer>> from = new HashMap<>(depends);
                next.put(move.register(), value(move.operand(), registers));
                from.put(move.register(), union(Set.of(), depends.get(move.operand()), null));
                step(at + 1, acts, next, from, control, visits);
            }
            case Instruction.Load load -> {
                for (long value : values) {
                    Map<String, Long> next = new HashMap<>(registers);
                    Map<String, Set<Integer>> from = new HashMap<>(depends);
                    next.put(load.register(), value);
                    from.put(load.register(), Set.of(acts.size()));
                    step(at + 1, with(acts, new Act(load, value, 0, false, control)), next, from, control, visits);
                }
            }
            case Instruction.Store store -> {
                Set<Integer> on = union(control, depends.get(store.operand()), null);
                Act act = new Act(store, 0, value(store.operand(), registers), true, on);
                step(at + 1, with(acts, act), registers, depends, control, visits);
            }
            case Instruction.Atomic atomic -> {
                for (long value : values) {
                    Map<String, Long> next = new HashMap<>(registers);
                    Map<String, Set<Integer>> from = new HashMap<>(depends);
                    if (!atomic.register().isEmpty()) {
                        next.put(atomic.register(), value);
                        from.put(atomic.register(), Set.of(acts.size()));
                    }
                    Act act = perform(atomic, value, registers, depends, control);
                    step(at + 1, with(acts, act), next, from, control, visits);
                }
            }
            case Instruction.Fence fence ->
                step(at + 1, with(acts, new Act(fence, 0, 0, false, Set.of())), registers, depends, control, visits);
            case Instruction.Barrier barrier ->
                step(at + 1, with(acts, new Act(barrier, 0, 0, false, Set.of())), registers, depends, control, visits);
        }
    }

    private static Act perform(
            Instruction.Atomic atomic,
            long value,
            Map<String, Long> registers,
            Map<String, Set<Integer>> depends,
            Set<Integer> control) {
        Set<Integer> on = control;
        for (String operand : atomic.operands()) {
            on = union(on, depends.get(operand), null);
        }
        long first = value(atomic.operands().getFirst(), registers);
        return switch (atomic.operation()) {
            case "exch" -> new Act(atomic, value, first, true, on);
            case "cas" -> new Act(atomic, value, value(atomic.operands().get(1), registers), value == first, on);
            default -> new Act(atomic, value, value + first, true, on);
        };
    }

    private static long value(String operand, Map<String, Long> registers) {
        return operand.matches("-?\\d+") ? Long.parseLong(operand) : registers.getOrDefault(operand, 0L);
    }

    private static List<Act> with(List<Act> acts, Act more) {
        List<Act> next = new ArrayList<>(acts);
        next.add(more);
        return next;
    }

    private static Set<Integer> union(Set<Integer> a, @Nullable Set<Integer> b, @Nullable Set<Integer> c) {
        Set<Integer> all = new HashSet<>(a);
        if (b != null) {
            all.addAll(b);
        }
        if (c != null) {
            all.addAll(c);
        }
        return all;
    }
}
