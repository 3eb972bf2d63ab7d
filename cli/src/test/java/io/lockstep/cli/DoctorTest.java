package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.cli.console.ExitStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What this machine can do. */
@Timeout(120)
final class DoctorTest {
    @Test
    void everythingIsLookedAtAndTwoRanksMeet() {
        Lockstep run = Lockstep.run("doctor");
        assertThat(run.out())
                .contains("java", "cores", "memory", "vectors", "backend cpu", "rendezvous", "ranks as threads")
                .contains("ranks as processes  ok")
                .contains("Lockstep can run here.");
        assertThat(run.status()).isEqualTo(ExitStatus.RIGHT);
    }

    @Test
    void theFindingsAreJsonOnRequest() {
        JsonNode file = JsonMapper.shared()
                .readTree(Lockstep.run("doctor", "--json", "-").out());
        assertThat(file.path("schema").intValue()).isEqualTo(1);
        assertThat(file.path("ready").booleanValue()).isTrue();
        assertThat(file.path("findings").size()).isGreaterThan(7);
    }
}
