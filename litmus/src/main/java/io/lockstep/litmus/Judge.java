package io.lockstep.litmus;

import io.lockstep.core.protocol.Promise;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Reachability;
import io.lockstep.litmus.model.Event;
import io.lockstep.litmus.model.Explanation;
import io.lockstep.litmus.model.Finding;
import io.lockstep.litmus.model.MemoryModel;
import io.lockstep.litmus.model.Program;
import io.lockstep.litmus.model.Search;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Judges protocols: for each setting, whether some execution that the model allows breaks a promise. */
public final class Judge {
    private Judge() {}

    /** The table of the command line: every protocol under every setting that makes a difference. */
    public static List<Verdict> table(List<Protocol> protocols) {
        List<Verdict> verdicts = new ArrayList<>();
        for (Protocol protocol : protocols) {
            for (Setting setting : Setting.of(protocol)) {
                verdicts.add(judge(protocol, setting));
            }
        }
        return verdicts;
    }

    /** One protocol under one setting. */
    public static Verdict judge(Protocol protocol, Setting setting) {
        return judge(protocol, setting, Course.of(protocol));
    }

    /** One protocol under one setting, with calls that follow one of these courses. */
    static Verdict judge(Protocol protocol, Setting setting, List<Course> courses) {
        long start = System.nanoTime();
        Optional<Broken> broken = courses.stream()
                .flatMap(course -> find(protocol, setting, course).stream())
                .findFirst();
        double milliseconds = (System.nanoTime() - start) / 1e6;
        return new Verdict(
                protocol.name(),
                setting,
                broken.isPresent() ? Reachability.REACHABLE : Reachability.FORBIDDEN,
                protocol.expectation().of(setting.model(), setting.placement()),
                broken.map(found -> broken(found.finding())).orElse(""),
                broken.map(found -> lines(found, setting.rounds(protocol))).orElse(List.of()),
                milliseconds);
    }

    /** An execution that breaks a promise, and the calls that led to it. */
    private record Broken(Finding finding, Course course) {}

    private static List<String> lines(Broken broken, int rounds) {
        List<String> lines = new ArrayList<>();
        String calls = broken.course().label(rounds);
        if (!calls.isEmpty()) {
            lines.add(calls);
        }
        lines.addAll(Explanation.of(broken.finding()).lines());
        return lines;
    }

    /** The first execution found that breaks a promise of a protocol. */
    private static Optional<Broken> find(Protocol protocol, Setting setting, Course course) {
        Unfolding.Size size = new Unfolding.Size(
                setting.devices(), setting.rounds(protocol), setting.placement(), setting.boundary());
        MemoryModel model = MemoryModel.of(setting.model());
        return Search.violation(model, Unfolding.of(protocol, size, course))
                .or(() -> Unfolding.losing(protocol, size, course).stream()
                        .flatMap(losing -> Search.lost(model, losing.program(), losing.stuck()).stream())
                        .findFirst())
                .map(finding -> new Broken(finding, course));
    }

    /** A protocol's counterexamples, one for each setting that has one, or a sentence that there is none. */
    public static List<String> explain(Protocol protocol) {
        return explain(
                protocol,
                verdict -> " [" + verdict.grade() + (verdict.asExpected() ? ", as expected]" : ", NOT as expected]"));
    }

    /** The counterexamples of a weakened protocol, of which no verdict is expected: one suffices. */
    public static List<String> explain(Weakening weakening) {
        return explain(weakening.protocol(), verdict -> "");
    }

    private static List<String> explain(Protocol protocol, Function<Verdict, String> grade) {
        List<String> lines = new ArrayList<>();
        lines.add(protocol.name() + ": " + protocol.summary());
        for (Setting setting : Setting.of(protocol)) {
            Verdict verdict = judge(protocol, setting);
            lines.add("");
            lines.add(setting.label() + ": " + verdict.found()
                    + (verdict.broken().isEmpty() ? ", no execution breaks a promise" : ", " + verdict.broken())
                    + grade.apply(verdict));
            for (String line : verdict.counterexample()) {
                lines.add("  " + line);
            }
        }
        return lines;
    }

    private static String broken(Finding finding) {
        Program program = finding.execution().program();
        String name = program.locations().get(finding.read().location());
        String buffer = name.substring(0, name.indexOf('['));
        return switch (finding.kind()) {
            case STALE -> promise(Promise.Kind.VISIBLE, buffer);
            case OVERWRITTEN -> promise(Promise.Kind.UNDISTURBED, buffer);
            case OTHER_ROUND -> promise(Promise.Kind.OF_THIS_ROUND, buffer);
            case LOST -> promise(Promise.Kind.NOT_LOST, buffer);
            case RACE -> "race-free(" + buffer + "): two accesses conflict and nothing orders them";
            case UNDEFINED ->
                promise(tooEarly(finding) ? Promise.Kind.UNDISTURBED : Promise.Kind.VISIBLE, buffer)
                        .replace("a read returned", "a read may return");
        };
    }

    /** Whether what makes a value undefined is a later write that did not wait, not an earlier one that is missed. */
    private static boolean tooEarly(Finding finding) {
        Event read = finding.read();
        List<Event> writes = finding.execution().program().writes(read.location());
        boolean expectedOrdered = writes.stream()
                .anyMatch(write -> write.kind() != Event.Kind.INITIAL
                        && write.value() == read.expected()
                        && finding.execution().ordered(write, read));
        return expectedOrdered
                && writes.stream()
                        .anyMatch(write -> write.value() > read.expected()
                                && !finding.execution().ordered(read, write));
    }

    private static String promise(Promise.Kind kind, String buffer) {
        String name = kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        return name + "(" + buffer + "): " + kind.broken();
    }
}
