package io.lockstep.litmus.kodkod;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Scope;
import io.lockstep.litmus.model.Event;
import io.lockstep.litmus.model.MemoryModel;
import io.lockstep.litmus.model.Program;
import io.lockstep.litmus.model.Search;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

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

    /** How often the solver contradicts a checker that sees every event through a fault. */
    private static long disagreements(UnaryOperator<Event> fault) {
        return LongStream.range(1, 400)
                .filter(seed -> {
                    Program program = RandomPrograms.next(new SplittableRandom(seed));
                    boolean checker = Search.exists(PTX, program.seenThrough(fault), execution -> true);
                    return checker != new PtxInKodkod(program).consistent();
                })
                .count();
    }

    private static Event with(Event event, Order order, Scope scope) {
        return new Event(
                event.id(),
                event.thread(),
                event.kind(),
                order,
                scope,
                event.location(),
                event.value(),
                event.accepts(),
                event.expected(),
                event.judged(),
                event.partner(),
                event.instance(),
                event.makesAvailable(),
                event.text());
    }

    private static void agree(long firstSeed, int count) {
        int reachable = 0;
        for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            Program program = RandomPrograms.next(new SplittableRandom(seed));
            boolean checker = Search.exists(PTX, program, execution -> true);
            boolean solver = new PtxInKodkod(program).consistent();
            assertThat(checker).as("seed %d: %s", seed, program.events()).isEqualTo(solver);
            reachable += checker ? 1 : 0;
        }
        // Both answers must occur often, or the agreement says little.
        assertThat(reachable).isBetween(count / 10, count * 9 / 10);
    }
}
