package io.lockstep.gpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.protocol.Barriers;
import io.lockstep.core.protocol.Buffer;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Step.Reach;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProtocolTextTest {
    @Test
    void theFileBesideTheKernelsIsTheTextOfTheDefaultProtocols() {
        assertThat(KernelSource.resource("protocol.h")).isEqualTo(ProtocolText.render());
    }

    @ParameterizedTest
    @CsvSource({
        "one-shot-push, ONE_SHOT_PUSH",
        "two-shot-push, TWO_SHOT_PUSH",
        "one-shot-pull, ONE_SHOT_PULL",
        "two-shot-pull, TWO_SHOT_PULL",
        "relaxed, TWO_SHOT_PULL",
        "no-end-barrier, ONE_SHOT_PULL"
    })
    void aProtocolIsMadeByTheKernelOfItsShape(String name, Exchange exchange) {
        assertThat(ProtocolText.exchange(Protocols.named(name).orElseThrow())).isEqualTo(exchange);
    }

    @ParameterizedTest
    @CsvSource({"one-shot-push", "two-shot-push", "one-shot-pull", "two-shot-pull"})
    void aDefaultProtocolHasTheStepsOfTheDefaultText(String name) {
        String text = ProtocolText.render(Protocols.named(name).orElseThrow());
        assertThat(macros(text)).isEqualTo(macros(ProtocolText.render()));
    }

    @Test
    void aHistoricalProtocolHasItsOwnFlagsAndNoHelpFromTheBarriersAround() {
        String middle = section(ProtocolText.render(Protocols.relaxed()), "MIDDLE");
        assertThat(middle)
                .contains("LS_AWAIT_FLAG(relaxed_gpu, MIDDLE, call.epoch)")
                .doesNotContain("fence")
                .doesNotContain("drain")
                .doesNotContain("acquire");
        assertThat(section(ProtocolText.render(Protocols.noEndBarrier()), "END"))
                .isEqualTo("#define LS_END_STEPS\n");
    }

    @Test
    void aBarrierThatPortHasNoWordForIsRefused() {
        Buffer middle = Buffer.flags("middle", 1);
        Protocol local = Protocols.twoShotPull(
                "local",
                "a bare barrier",
                Barriers.fenced(Buffer.flags("start", 1)),
                Barriers.releaseAcquire(middle, Reach.LOCAL_ONLY, Reach.FULL),
                Protocols.relaxed().expectation());
        for (Protocol protocol : List.of(local)) {
            assertThatThrownBy(() -> ProtocolText.render(protocol)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static String macros(String text) {
        return text.substring(text.indexOf("#ifndef"));
    }

    private static String section(String text, String place) {
        String from = text.substring(text.indexOf("#define LS_" + place));
        return from.substring(0, from.indexOf("\n\n") + 1);
    }
}
