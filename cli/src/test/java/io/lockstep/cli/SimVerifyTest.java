package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.litmus.sim.SimulationResult;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SimVerifyTest {
    static Stream<Protocol> simulated() {
        return Protocols.all().stream().filter(protocol -> !protocol.isCpu());
    }

    private static SimVerify.Request request(String protocol) {
        return new SimVerify.Request(
                protocol,
                8,
                11,
                10,
                false,
                false,
                List.of(new SimVerify.Shape(64, 256), new SimVerify.Shape(13, 2040)));
    }

    @ParameterizedTest
    @MethodSource("simulated")
    void theExitCodeSaysWhetherTheProtocolIsRight(Protocol protocol) {
        List<SimulationResult> told = new ArrayList<>();
        SimVerify.Outcome outcome = SimVerify.run(request(protocol.name()), told::add);

        assertThat(outcome.exitCode()).isEqualTo(Protocols.defaults().contains(protocol) ? 0 : 1);
        assertThat(told).hasSize(2);
        assertThat(outcome.table()).hasSize(3);
    }

    @Test
    void theSameSeedGivesTheSameTable() {
        assertThat(SimVerify.run(request("relaxed"), result -> {}).table())
                .isEqualTo(SimVerify.run(request("relaxed"), result -> {}).table());
    }

    @Test
    void anUnknownProtocolIsRefusedWithTheKnownNames() {
        assertThatThrownBy(() -> SimVerify.run(request("nonsense"), result -> {}))
                .hasMessageContaining("nonsense")
                .hasMessageContaining("two-shot-pull");
    }
}
