package io.lockstep.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Reachability;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * CPU ranks store into the lines of the staging slot of the next but one chunk while they compute this one, so that
 * those lines are their own again. No step of the protocols does that: it is judged here, as one step more.
 */
class ClaimedLinesTest {
    static Stream<Protocol> staging() {
        return Stream.of(Protocols.cpuOneShot(), Protocols.cpuTwoShot())
                .flatMap(protocol -> DutiesTest.forms(protocol).stream());
    }

    @ParameterizedTest
    @MethodSource("staging")
    void linesMayBeClaimedTwoChunksAheadOnceThisOneWasAwaited(Protocol protocol) {
        for (int devices = 2; devices <= 3; devices++) {
            assertThat(worst(claiming(protocol, 2, 1), devices)).isEqualTo(Reachability.FORBIDDEN);
        }
    }

    @ParameterizedTest
    @MethodSource("staging")
    void fourChunksAheadIsTheSlotThatIsBeingRead(Protocol protocol) {
        assertThat(worst(claiming(protocol, 4, 1), 2)).isEqualTo(Reachability.REACHABLE);
    }

    @Test
    void threeChunksAheadOrBeforeTheWaitASlowerRankStillReads() {
        assertThat(worst(claiming(Protocols.cpuOneShot(), 3, 1), 2)).isEqualTo(Reachability.REACHABLE);
        assertThat(worst(claiming(Protocols.cpuOneShot(), 2, 0), 2)).isEqualTo(Reachability.REACHABLE);
    }

    /** With the claim this far ahead, before (0) or behind (1) the first wait. */
    private static Protocol claiming(Protocol protocol, int ahead, int behind) {
        List<Step> steps = new ArrayList<>(protocol.steps());
        Step.WriteData stage = steps.stream()
                .filter(Step.WriteData.class::isInstance)
                .map(Step.WriteData.class::cast)
                .findFirst()
                .orElseThrow();
        int wait = 0;
        while (!(steps.get(wait) instanceof Step.AwaitFlag)) {
            wait++;
        }
        steps.add(wait + behind, new Step.WriteData(stage.role(), stage.buffer(), stage.home(), ahead));
        return protocol.withSteps(protocol.name() + " that claims " + ahead + " ahead", steps);
    }

    private static Reachability worst(Protocol protocol, int devices) {
        for (int calls = 2; calls <= 3; calls++) {
            for (Setting setting : Setting.of(protocol, devices, calls)) {
                if (Judge.judge(protocol, setting).found() == Reachability.REACHABLE) {
                    return Reachability.REACHABLE;
                }
            }
        }
        return Reachability.FORBIDDEN;
    }
}
