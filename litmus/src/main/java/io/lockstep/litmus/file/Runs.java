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

    /**
     * All runs.
     *
     * @param runs of each thread
     * @param cut whether a loop that does something else in each round would have gone on
     */
    record All(List<List<Run>> runs, boolean cut) {}

    /** Where a loop began its latest round. */
    private record Visit(int count, int acts, Map<String, Long> registers) {}

    private static final int ROUNDS = 2;
    private static final int LIMIT = 200_000;

    private final LitmusFile.Column thread;
    private final Set<Long> values;
    private final Map<String, Integer> labels = new HashMap<>();
    private final List<Run> runs = new ArrayList<>();
    /** By every run, those too that poll in vain: another thread may need it to go on. */
    private final Set<Long> written = new HashSet<>();

    private boolean cut;

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
    static All of(LitmusFile file) {
        Set<Long> values = new TreeSet<>(file.initial().values());
        values.add(0L);
        List<List<Run>> all = List.of();
        boolean cut = false;
        // Three rounds reach every sum that a test of a few increments can make.
        for (int round = 0; round < 4; round++) {
            all = new ArrayList<>();
            Set<Long> written = new TreeSet<>(values);
            for (LitmusFile.Column thread : file.threads()) {
                Runs runs = new Runs(thread, values);
                runs.step(0, List.of(), new HashMap<>(thread.registers()), new HashMap<>(), Set.of(), Map.of());
                all.add(runs.runs);
                cut |= runs.cut;
                written.addAll(runs.written);
            }
            if (!values.addAll(written)) {
                break;
            }
        }
        return new All(all, cut);
    }

    /** Whether a round of a loop that only polls, and would only poll again, has ended. */
    private static boolean onlyPolled(Visit since, List<Act> acts, Map<String, Long> registers) {
        Map<String, Long> before = new HashMap<>(since.registers());
        Map<String, Long> after = new HashMap<>(registers);
        for (Act act : acts.subList(since.acts(), acts.size())) {
            if (act.writes() && (act.instruction() instanceof Instruction.Store || act.read() != act.written())) {
                return false;
            }
            before.remove(act.instruction().sets());
            after.remove(act.instruction().sets());
        }
        return before.equals(after);
    }

    /** One more instruction. Registers carry the reads that they depend on, control those that decided a branch. */
    private void step(
            int at,
            List<Act> acts,
            Map<String, Long> registers,
            Map<String, Set<Integer>> depends,
            Set<Integer> control,
            Map<Integer, Visit> visits) {
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
                Visit last = visits.get(at);
                if (last != null && last.count() == ROUNDS) {
                    cut |= !onlyPolled(last, acts, registers);
                    return;
                }
                Map<Integer, Visit> more = new HashMap<>(visits);
                more.put(at, new Visit(last == null ? 1 : ROUNDS, acts.size(), Map.copyOf(registers)));
                step(at + 1, acts, registers, depends, control, more);
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
            case "minus", "sub" -> new Act(atomic, value, value - first, true, on);
            default -> new Act(atomic, value, value + first, true, on);
        };
    }

    private static long value(String operand, Map<String, Long> registers) {
        return operand.matches(Instruction.NUMBER) ? Long.parseLong(operand) : registers.getOrDefault(operand, 0L);
    }

    private List<Act> with(List<Act> acts, Act more) {
        if (more.writes()) {
            written.add(more.written());
        }
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
