package io.lockstep.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.protocol.Expectation;
import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Reachability;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Controls: a guard that cannot fail guards nothing. */
class MustFailTest {
    @Test
    void aFlippedExpectationIsCaught() {
        Protocol flipped = Protocols.relaxed().expecting(Expectation.everywhere(Reachability.FORBIDDEN));

        assertThat(Judge.table(List.of(flipped))).noneMatch(Verdict::asExpected);
        assertThat(Judge.table(
                        List.of(Protocols.oneShotPull().expecting(Expectation.everywhere(Reachability.REACHABLE)))))
                .noneMatch(Verdict::asExpected);
    }

    @Test
    void aWeakenedDefaultIsCaughtInEveryModel() {
        Protocol right = Protocols.twoShotPull();
        List<Step> steps = new ArrayList<>(right.steps());
        steps.removeIf(Step.Fence.class::isInstance);

        assertThat(Judge.table(List.of(right.withSteps("no fences", steps)))).noneMatch(Verdict::asExpected);
    }

    @Test
    void aRearmingThatNobodyAwaitsLosesAWordOrTakesOneOfAnotherCall() {
        Protocol right = Protocols.oneShotPush();
        List<Step> steps = new ArrayList<>(right.steps());
        steps.removeIf(Step.AwaitFlag.class::isInstance);

        assertThat(Judge.table(List.of(right.withSteps("unawaited", steps))))
                .allMatch(verdict -> verdict.found() == Reachability.REACHABLE)
                .anyMatch(verdict -> verdict.broken().startsWith("not-lost(words)"));
    }

    @Test
    void noRearmingAtAllTakesTheWordsOfAnotherCall() {
        Protocol right = Protocols.oneShotPush();
        List<Step> steps = new ArrayList<>(right.steps());
        steps.removeIf(Step.RearmWords.class::isInstance);

        assertThat(Judge.table(List.of(right.withSteps("never re-armed", steps))))
                .allMatch(verdict -> verdict.broken().startsWith("of-this-round(words)"));
    }

    @Test
    void aRelaxedCpuProtocolIsCaught() {
        Protocol right = Protocols.cpuOneShot();
        List<Weakening> relaxed = Weakening.of(right).stream()
                .filter(weakening -> weakening.description().contains("relaxed"))
                .toList();

        assertThat(relaxed).hasSize(2).allMatch(Weakening::isCaught);
        assertThat(right.models()).containsExactly(Model.JAVA);
    }
}
