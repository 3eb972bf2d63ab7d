package io.lockstep.litmus.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.protocol.Buffer;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Step;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ProgressTest {
    static Stream<Protocol> defaults() {
        return Protocols.defaults().stream();
    }

    @ParameterizedTest
    @MethodSource("defaults")
    void noRankEverMissesAnEpoch(Protocol protocol) {
        for (int ranks = 2; ranks <= 3; ranks++) {
            assertThat(Progress.hangs(protocol, ranks, 12)).isFalse();
        }
    }

    @Test
    void oneSlotTooFewForTheReadyFlagsHangs() {
        assertThat(Progress.hangs(withSlots(Protocols.cpuOneShot(), "ready", 1), 2, 12))
                .isTrue();
    }

    @Test
    void anEpochThatNobodyTellsHangs() {
        Protocol right = Protocols.oneShotPull();
        List<Step> steps = right.steps().stream()
                .filter(step -> !(step instanceof Step.StoreFlag store
                        && store.flags().name().equals("end")))
                .toList();

        assertThat(Progress.hangs(right.withSteps("silent", steps), 2, 3)).isTrue();
    }

    private static Protocol withSlots(Protocol protocol, String name, int copies) {
        Buffer flags = Buffer.flags(name, copies);
        List<Step> steps = protocol.steps().stream()
                .map(step -> step.on(Buffer.flags(name, 4), flags))
                .toList();
        return protocol.withSteps(protocol.name() + " with " + copies + " slots", steps);
    }
}
