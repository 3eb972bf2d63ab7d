package io.lockstep.litmus.kodkod;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Scope;
import io.lockstep.litmus.model.Event;
import io.lockstep.litmus.model.Finding;
import io.lockstep.litmus.model.MemoryModel;
import io.lockstep.litmus.model.Program;
import io.lockstep.litmus.model.Search;
import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The checker and the solver give the same answer on every program. */
class EnginesAgreeTest {
    private static final MemoryModel PTX = MemoryModel.of(Model.PTX);

    @Test
    void onAFewHundredRandomPrograms() {
        agree(1, 400);
    }

    @Test
    @Tag("slow")
    void onManyThousandRandomPrograms() {
        agree(1_000_000, 20_000);
    }

    @Test
    void aCheckerThatForgetsScopesIsFoundOut() {
        assertThat(disagreements(event -> with(event, event.order(), Scope.SYSTEM)))
                .isPositive();
    }

    @Test
    void aCheckerThatTakesEveryReleaseForRelaxedIsFoundOut() {
        assertThat(disagreements(event ->
                        with(event, event.order() == Order.RELEASE ? Order.RELAXED : event.order(), event.scope())))
                .isPositive();
    }

    @Test
    void aCheckerThatTakesRelaxedForAcquireIsFoundOut() {
        assertThat(disagreements(event -> with(
                        event,
                        event.isRead() && event.order() == Order.RELAXED ? Order.ACQUIRE : event.order(),
                        event.scope())))
                .isPositive();
    }

    @ParameterizedTest
    @EnumSource(Model.class)
    void onWhatAFewHundredRandomProgramsMayRead(Model model) {
        agreeOnQuestions(model, 1, 300);
    }

    @ParameterizedTest
    @EnumSource(Model.class)
    @Tag("slow")
    void onWhatManyThousandRandomProgramsMayRead(Model model) {
        agreeOnQuestions(model, 1_000_000, 20_000);
    }

    @ParameterizedTest
    @MethodSource("faults")
    void aFaultInWhatTheCheckerSeesIsFoundOut(Planted fault) {
        long disagreements = LongStream.range(1, 400)
                .filter(seed -> {
                    Program program = RandomPrograms.question(new SplittableRandom(seed));
                    return !answer(fault.model, program.seenThrough(fault.view)).equals(solved(fault.model, program));
                })
                .count();
        assertThat(disagreements).isPositive();
    }

    /** A checker that sees every event through a fault. */
    record Planted(String name, Model model, UnaryOperator<Event> view) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** One fault for each thing that a model of happens-before rests on. */
    static Stream<Planted> faults() {
        return Stream.of(
                new Planted(
                        "Java: relaxed stores release",
                        Model.JAVA,
                        event -> event.isWrite() && event.order() == Order.RELAXED
                                ? with(event, Order.RELEASE, event.scope())
                                : event),
                new Planted(
                        "Java: fences are ignored",
                        Model.JAVA,
                        event -> event.kind() == Event.Kind.FENCE ? with(event, Order.RELAXED, event.scope()) : event),
                new Planted(
                        "AMDGPU: scopes are forgotten",
                        Model.AMDGPU,
                        event -> with(event, event.order(), Scope.SYSTEM)),
                new Planted(
                        "AMDGPU: acquire is relaxed",
                        Model.AMDGPU,
                        event -> event.order() == Order.ACQUIRE ? with(event, Order.RELAXED, event.scope()) : event),
                new Planted("AMDGPU: every fence moves data", Model.AMDGPU, EnginesAgreeTest::available),
                new Planted(
                        "AMDGPU: every barrier is a full one",
                        Model.AMDGPU,
                        event -> event.kind() == Event.Kind.LOCAL_BARRIER ? kind(event, Event.Kind.BARRIER) : event));
    }

    /** What may become of a program: a wrong value, else a race, else nothing. */
    private enum Answer {
        WRONG,
        RACE,
        SAFE
    }

    private static Answer answer(Model model, Program program) {
        return Search.violation(MemoryModel.of(model), program)
                .map(finding -> finding.kind() == Finding.Kind.RACE ? Answer.RACE : Answer.WRONG)
                .orElse(Answer.SAFE);
    }

    private static Answer solved(Model model, Program program) {
        InKodkod solver = InKodkod.of(model, program);
        return solver.errs() ? Answer.WRONG : solver.violates() ? Answer.RACE : Answer.SAFE;
    }

    private static void agreeOnQuestions(Model model, long firstSeed, int count) {
        Map<Answer, Integer> answers = new EnumMap<>(Answer.class);
        for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            Program program = RandomPrograms.question(new SplittableRandom(seed));
            Answer checker = answer(model, program);
            assertThat(checker)
                    .as("%s, seed %d: %s", model, seed, program.events())
                    .isEqualTo(solved(model, program));
            answers.merge(checker, 1, Integer::sum);
        }
        // Right and wrong must occur often, or the agreement says little.
        assertThat(answers.getOrDefault(Answer.WRONG, 0)).as("%s", answers).isGreaterThan(count / 10);
        assertThat(answers.getOrDefault(Answer.SAFE, 0)).as("%s", answers).isGreaterThan(count / 10);
    }

    /** How often the solver contradicts a checker that sees every event through a fault. */
    private static long disagreements(UnaryOperator<Event> fault) {
        return LongStream.range(1, 400)
                .filter(seed -> {
                    Program program = RandomPrograms.next(new SplittableRandom(seed));
                    boolean checker = Search.exists(PTX, program.seenThrough(fault), execution -> true);
                    return checker != InKodkod.of(Model.PTX, program).consistent();
                })
                .count();
    }

    private static Event with(Event event, Order order, Scope scope) {
        return seen(event, event.kind(), order, scope, event.makesAvailable());
    }

    private static Event kind(Event event, Event.Kind kind) {
        return seen(event, kind, event.order(), event.scope(), event.makesAvailable());
    }

    private static Event available(Event event) {
        return seen(event, event.kind(), event.order(), event.scope(), true);
    }

    private static Event seen(Event event, Event.Kind kind, Order order, Scope scope, boolean makesAvailable) {
        return new Event(
                event.id(),
                event.thread(),
                kind,
                order,
                scope,
                event.location(),
                event.value(),
                event.accepts(),
                event.expected(),
                event.judged(),
                event.partner(),
                event.instance(),
                makesAvailable,
                event.text());
    }

    private static void agree(long firstSeed, int count) {
        int reachable = 0;
        for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            Program program = RandomPrograms.next(new SplittableRandom(seed));
            boolean checker = Search.exists(PTX, program, execution -> true);
            boolean solver = InKodkod.of(Model.PTX, program).consistent();
            assertThat(checker).as("seed %d: %s", seed, program.events()).isEqualTo(solver);
            reachable += checker ? 1 : 0;
        }
        // Both answers must occur often, or the agreement says little.
        assertThat(reachable).isBetween(count / 10, count * 9 / 10);
    }
}
