package io.lockstep.litmus.file;

import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Order;
import io.lockstep.litmus.model.Event;
import io.lockstep.litmus.model.Execution;
import io.lockstep.litmus.model.MemoryModel;
import io.lockstep.litmus.model.Program;
import io.lockstep.litmus.model.Search;
import io.lockstep.litmus.model.Values;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Judges litmus files under the PTX model. */
public final class FileJudge {
    private final LitmusFile file;
    private final Condition wanted;
    private final MemoryModel model;

    private FileJudge(LitmusFile file, MemoryModel model) {
        this.file = file;
        this.model = model;
        this.wanted = file.quantifier() == LitmusFile.Quantifier.FORALL
                ? new Condition.Not(file.condition())
                : file.condition();
    }

    /** Reads and judges a file; what cannot be judged is skipped and says why. */
    public static FileVerdict judge(String name, String text) {
        long start = System.nanoTime();
        try {
            LitmusFile file = LitmusFile.parse(text);
            boolean found = reachable(file, MemoryModel.of(Model.PTX));
            boolean holds = found == (file.quantifier() == LitmusFile.Quantifier.EXISTS);
            return new FileVerdict(
                    file.name(),
                    holds ? FileVerdict.Answer.HOLDS : FileVerdict.Answer.FAILS,
                    file.quantifier().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                    "",
                    (System.nanoTime() - start) / 1e6);
        } catch (UnsupportedLitmusException e) {
            return new FileVerdict(
                    name,
                    FileVerdict.Answer.SKIPPED,
                    "",
                    String.valueOf(e.getMessage()),
                    (System.nanoTime() - start) / 1e6);
        }
    }

    /** Whether some execution satisfies the condition, or for a test that says forall, breaks it. */
    static boolean reachable(LitmusFile file, MemoryModel model) {
        FileJudge judge = new FileJudge(file, model);
        Runs.All all = Runs.of(file);
        boolean found = judge.any(all.runs(), new ArrayList<>());
        if (!found && all.cut()) {
            throw new UnsupportedLitmusException(
                    "a loop that does something else in each round, of which only two were tried");
        }
        return found;
    }

    private boolean any(List<List<Runs.Run>> runs, List<Runs.Run> chosen) {
        if (chosen.size() < runs.size()) {
            for (Runs.Run run : runs.get(chosen.size())) {
                chosen.add(run);
                boolean found = any(runs, chosen);
                chosen.removeLast();
                if (found) {
                    return true;
                }
            }
            return false;
        }
        Map<String, Long> registers = new HashMap<>();
        for (int i = 0; i < chosen.size(); i++) {
            String thread = file.threads().get(i).name();
            chosen.get(i).registers().forEach((name, value) -> registers.put(thread + ":" + name, value));
        }
        if (!written(chosen) || !possible(registers)) {
            return false;
        }
        Program program = program(chosen);
        return Search.exists(model, program, execution -> satisfied(execution, registers));
    }

    /** Whether every value that is read is written by someone: most guesses end here. */
    private boolean written(List<Runs.Run> chosen) {
        Map<String, Set<Long>> written = new HashMap<>();
        for (Runs.Run run : chosen) {
            for (Runs.Act act : run.acts()) {
                if (act.writes()) {
                    written.computeIfAbsent(act.instruction().location(), key -> new HashSet<>())
                            .add(act.written());
                }
            }
        }
        for (Runs.Run run : chosen) {
            for (Runs.Act act : run.acts()) {
                String location = act.instruction().location();
                boolean reads = act.instruction() instanceof Instruction.Load
                        || act.instruction() instanceof Instruction.Atomic;
                if (reads
                        && act.read() != file.initial().getOrDefault(location, 0L)
                        && !written.getOrDefault(location, Set.of()).contains(act.read())) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Whether the registers alone do not refute a condition that speaks of nothing else. */
    private boolean possible(Map<String, Long> registers) {
        boolean locations = wanted.names().stream().anyMatch(name -> !name.contains(":"));
        return locations || wanted.holds(name -> registers.getOrDefault(name, 0L));
    }

    /** Whether the condition holds for some choice of last writes: PTX orders racing writes only in part. */
    private boolean satisfied(Execution execution, Map<String, Long> registers) {
        Map<String, Set<Long>> last = new HashMap<>();
        Program program = execution.program();
        for (String name : wanted.names()) {
            int location = program.locations().indexOf(name);
            if (location >= 0) {
                Set<Long> values = new HashSet<>();
                List<Event> writes = program.writes(location);
                for (Event write : writes) {
                    if (writes.stream().noneMatch(later -> execution.overwrites(write, later))) {
                        values.add(write.value());
                    }
                }
                last.put(name, values);
            }
        }
        return satisfied(List.copyOf(last.keySet()), 0, last, new HashMap<>(registers));
    }

    private boolean satisfied(List<String> names, int next, Map<String, Set<Long>> last, Map<String, Long> values) {
        if (next == names.size()) {
            return wanted.holds(name -> values.getOrDefault(name, file.initial().getOrDefault(name, 0L)));
        }
        for (long value : last.getOrDefault(names.get(next), Set.of())) {
            values.put(names.get(next), value);
            if (satisfied(names, next + 1, last, values)) {
                return true;
            }
        }
        return false;
    }

    private Program program(List<Runs.Run> chosen) {
        Program.Builder builder = new Program.Builder();
        file.initial().forEach(builder::location);
        for (int i = 0; i < chosen.size(); i++) {
            LitmusFile.Column column = file.threads().get(i);
            int workgroup = column.device() * 1000 + column.workgroup();
            int thread = builder.thread(new Program.Strand(column.name(), column.device(), workgroup, i));
            add(builder, thread, chosen.get(i).acts());
        }
        return builder.build();
    }

    private void add(Program.Builder builder, int thread, List<Runs.Act> acts) {
        Map<Integer, Integer> reads = new HashMap<>();
        Map<String, Integer> meetings = new HashMap<>();
        for (int i = 0; i < acts.size(); i++) {
            Runs.Act act = acts.get(i);
            String name = act.instruction().location();
            int location =
                    name.isEmpty() ? -1 : builder.location(name, file.initial().getOrDefault(name, 0L));
            Values read = new Values(Values.Test.EXACTLY, act.read());
            int id = switch (act.instruction()) {
                case Instruction.Load load ->
                    builder.read(thread, load.order(), load.scope(), location, read, load.text());
                case Instruction.Store store ->
                    builder.write(thread, store.order(), store.scope(), location, act.written(), store.text());
                case Instruction.Atomic atomic -> atomic(builder, thread, atomic, location, read, act);
                case Instruction.Fence fence -> builder.fence(thread, fence.order(), fence.scope(), true, fence.text());
                case Instruction.Barrier barrier -> {
                    int meeting = meetings.merge(barrier.id(), 1, Integer::sum);
                    yield builder.barrier(
                            thread,
                            barrier.waits() ? Event.Kind.BARRIER : Event.Kind.ARRIVE,
                            Integer.parseInt(barrier.id()) * 1000 + meeting,
                            barrier.text());
                }
                default -> -1;
            };
            reads.put(i, id);
            // What a write depends on; in a read-modify-write it depends on its own read too.
            boolean atomic = act.instruction() instanceof Instruction.Atomic;
            if (act.writes()) {
                int write = atomic ? id + 1 : id;
                act.dependsOn().forEach(on -> builder.depends(reads.getOrDefault(on, id), write));
                if (atomic
                        && !((Instruction.Atomic) act.instruction()).operation().equals("exch")) {
                    builder.depends(id, write);
                }
            }
        }
    }

    private static int atomic(
            Program.Builder builder, int thread, Instruction.Atomic atomic, int location, Values read, Runs.Act act) {
        // A compare-and-set that fails is a load.
        return act.writes()
                ? builder.readModifyWrite(
                        thread, atomic.order(), atomic.scope(), location, read, act.written(), atomic.text())
                : builder.read(
                        thread,
                        atomic.order() == Order.RELEASE ? Order.RELAXED : atomic.order(),
                        atomic.scope(),
                        location,
                        read,
                        atomic.text());
    }
}
