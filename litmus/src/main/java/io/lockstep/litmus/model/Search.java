package io.lockstep.litmus.model;

import io.lockstep.core.protocol.Scope;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Tries every execution that a model allows, and gives up what is already inconsistent with all that would grow from
 * it.
 *
 * <p>Awaits of an epoch that one writer only ever raises need no trying. Reading a later epoch draws in every
 * conclusion of reading an earlier one, and all bad outcomes (a wrong value, a race, a word that never arrives) only
 * become rarer with more conclusions. So for each choice of the other reads, the execution in which every await returns
 * the earliest epoch that coherence leaves it stands for all: it is found by raising each await as far as it must be.
 */
public final class Search {
    private final Program program;
    private final List<Event> awaits = new ArrayList<>();
    private final List<Event> strong = new ArrayList<>();
    private final int stuck;
    private @Nullable Finding race;

    private Search(Program program, Execution start, int stuck) {
        this.program = program;
        this.stuck = stuck;
        for (Event read : program.reads()) {
            if (read.isStrong()) {
                (!read.judged() && raises(read, start) ? awaits : strong).add(read);
            }
        }
    }

    /** The first execution found that gives a judged read another value than expected, or that races. */
    public static Optional<Finding> violation(MemoryModel model, Program program) {
        Execution start = model.begin(program);
        Search search = new Search(program, start, -1);
        if (!search.settleAwaits(start)) {
            return Optional.empty();
        }
        Finding found = search.wrongWord(start);
        if (found == null) {
            found = search.complete(start, 0, true);
        }
        return Optional.ofNullable(found == null ? search.race : found);
    }

    /**
     * The first execution found in which a read polls for ever: what it keeps returning is the last write of its
     * location.
     */
    public static Optional<Finding> lost(MemoryModel model, Program program, int read) {
        Execution start = model.begin(program);
        Search search = new Search(program, start, read);
        return search.settleAwaits(start) ? Optional.ofNullable(search.complete(start, 0, false)) : Optional.empty();
    }

    /** Whether some execution with every read decided, weak ones too, satisfies a condition. */
    public static boolean exists(MemoryModel model, Program program, Predicate<Execution> condition) {
        List<Event> reads = program.reads().stream()
                .sorted(Comparator.comparing((Event read) -> !read.isStrong()).thenComparingInt(Event::id))
                .toList();
        return any(model.begin(program), reads, 0, condition);
    }

    /**
     * Whether a read awaits a least value in a location that one writer raises from write to write, and each write
     * tells at least as much as the one before: it is as strong, and whatever is released with the one is with the
     * other.
     */
    private boolean raises(Event read, Execution start) {
        if (read.accepts().test() != Values.Test.AT_LEAST || read.partner() >= 0) {
            return false;
        }
        List<Event> writes = program.writes(read.location());
        for (int i = 1; i < writes.size(); i++) {
            Event earlier = writes.get(i - 1);
            Event later = writes.get(i);
            if (earlier.value() >= later.value() || later.partner() >= 0) {
                return false;
            }
            if (earlier.kind() != Event.Kind.INITIAL
                    && !(start.ordered(earlier, later) && covers(earlier, later) && tellsAll(earlier, later, start))) {
                return false;
            }
        }
        return true;
    }

    private boolean tellsAll(Event earlier, Event later, Execution start) {
        List<Event> releases = start.releases(later);
        return start.releases(earlier).stream()
                .allMatch(release -> releases.stream()
                        .anyMatch(other -> other.id() == release.id()
                                || (start.ordered(release, other) && covers(release, other))));
    }

    /** Whether one operation is as strong as another, for the same threads. */
    private boolean covers(Event weaker, Event stronger) {
        Program.Strand a = program.threads().get(weaker.thread());
        Program.Strand b = program.threads().get(stronger.thread());
        return weaker.order() == stronger.order()
                && weaker.scope().compareTo(stronger.scope()) <= 0
                && a.device() == b.device()
                && (weaker.scope() != Scope.WORKGROUP || a.workgroup() == b.workgroup())
                && (stronger.makesAvailable() || !weaker.makesAvailable());
    }

    /** Raise every await as far as it must be; gives false if one finds nothing. */
    private boolean settleAwaits(Execution execution) {
        boolean changed = true;
        while (changed) {
            changed = false;
            for (Event await : awaits) {
                int source = execution.source(await.id());
                if (source < 0 || !execution.permits(await, program.event(source))) {
                    Event next = nextFor(await, source, execution);
                    if (next == null) {
                        return false;
                    }
                    execution.assume(await, next);
                    changed = true;
                }
            }
        }
        return execution.holds();
    }

    private @Nullable Event nextFor(Event await, int source, Execution execution) {
        for (Event write : program.writes(await.location())) {
            if (write.id() > source && await.accepts().contain(write.value()) && execution.permits(await, write)) {
                return write;
            }
        }
        return null;
    }

    /** For each word that arrives, whether it may be one of another round. */
    private @Nullable Finding wrongWord(Execution start) {
        for (Event read : strong) {
            if (!read.judged()) {
                continue;
            }
            for (Event write : program.writes(read.location())) {
                if (write.value() != read.expected() && read.accepts().contain(write.value())) {
                    Execution next = start.copy();
                    if (next.readFrom(read, write) && settleAwaits(next)) {
                        Finding found = complete(next, 0, false);
                        if (found != null) {
                            return found;
                        }
                    }
                }
            }
        }
        return null;
    }

    /** Decide what is left; with {@code right}, judged words are those of their round. */
    private @Nullable Finding complete(Execution execution, int index, boolean right) {
        if (index == strong.size()) {
            return settle(execution);
        }
        Event read = strong.get(index);
        if (execution.source(read.id()) >= 0) {
            return complete(execution, index + 1, right);
        }
        List<Event> candidates = new ArrayList<>();
        for (Event write : program.writes(read.location())) {
            if (read.accepts().contain(write.value())
                    && !(right && read.judged() && write.value() != read.expected())) {
                candidates.add(write);
            }
        }
        candidates.sort(Comparator.comparing(write -> write.value() != read.expected()));
        for (Event write : candidates) {
            Execution next = candidates.size() == 1 ? execution : execution.copy();
            if (next.readFrom(read, write) && settleAwaits(next)) {
                Finding found = complete(next, index + 1, right);
                if (found != null) {
                    return found;
                }
            }
        }
        return null;
    }

    private @Nullable Finding settle(Execution execution) {
        Execution.Choice choice = execution.open();
        if (choice == null) {
            return stuck >= 0 ? judgeStuck(execution) : judge(execution);
        }
        Execution other = execution.copy();
        if (execution.choose(choice.first(), choice.second()) && settleAwaits(execution)) {
            Finding found = settle(execution);
            if (found != null) {
                return found;
            }
        }
        return other.choose(choice.second(), choice.first()) && settleAwaits(other) ? settle(other) : null;
    }

    private @Nullable Finding judge(Execution execution) {
        Finding found = null;
        for (Event read : program.reads()) {
            if (read.isStrong()) {
                Event write = program.event(execution.source(read.id()));
                if (read.judged() && write.value() != read.expected() && found == null) {
                    found = new Finding(Finding.Kind.OTHER_ROUND, execution, read, write);
                }
            } else {
                List<Execution.Sight> sights = execution.sights(read);
                if (sights.isEmpty()) {
                    return null;
                }
                if (read.judged() && (found == null || !plain(found))) {
                    Finding next = judgeWeak(execution, read, sights);
                    found = found == null || (next != null && plain(next)) ? next : found;
                }
            }
        }
        if (found == null && race == null) {
            race = execution.races().stream()
                    .findFirst()
                    .map(pair -> new Finding(Finding.Kind.RACE, execution, pair.first(), pair.second()))
                    .orElse(null);
        }
        return found;
    }

    /** Whether a finding tells the plainest story: what should be there has not come. */
    private boolean plain(Finding finding) {
        Event read = finding.read();
        return finding.kind() == Finding.Kind.STALE
                || (finding.kind() == Finding.Kind.UNDEFINED
                        && program.writes(read.location()).stream()
                                .noneMatch(write -> write.value() == read.expected()
                                        && finding.execution().ordered(write, read)));
    }

    private static @Nullable Finding judgeWeak(Execution execution, Event read, List<Execution.Sight> sights) {
        for (Execution.Sight sight : sights) {
            Event write = sight.write();
            if (!sight.defined()) {
                return new Finding(Finding.Kind.UNDEFINED, execution, read, null);
            }
            if (write.value() != read.expected()) {
                Finding.Kind kind = write.value() < read.expected() ? Finding.Kind.STALE : Finding.Kind.OVERWRITTEN;
                return new Finding(kind, execution, read, write);
            }
        }
        return null;
    }

    private @Nullable Finding judgeStuck(Execution execution) {
        Event read = program.event(stuck);
        Event write = program.event(execution.source(stuck));
        for (Event other : program.writes(read.location())) {
            if (other.id() != write.id() && execution.overwrites(write, other)) {
                return null;
            }
        }
        return new Finding(Finding.Kind.LOST, execution, read, write);
    }

    private static boolean any(Execution execution, List<Event> reads, int index, Predicate<Execution> condition) {
        if (index == reads.size()) {
            Execution.Choice choice = execution.open();
            if (choice == null) {
                return condition.test(execution);
            }
            Execution other = execution.copy();
            return (execution.choose(choice.first(), choice.second()) && any(execution, reads, index, condition))
                    || (other.choose(choice.second(), choice.first()) && any(other, reads, index, condition));
        }
        Event read = reads.get(index);
        for (Event write : execution.program().writes(read.location())) {
            if (read.accepts().contain(write.value())) {
                Execution next = execution.copy();
                if (next.readFrom(read, write) && any(next, reads, index + 1, condition)) {
                    return true;
                }
            }
        }
        return false;
    }
}
