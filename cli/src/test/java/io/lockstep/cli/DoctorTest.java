package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.cli.console.ExitStatus;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What this machine can do. */
@Timeout(240)
final class DoctorTest {
    private static Lockstep run = new Lockstep(-1, "", "");

    @BeforeAll
    static void examineOnce() {
        run = Lockstep.run("doctor");
    }

    @Test
    void everythingIsLookedAtAndTwoRanksMeet() {
        assertThat(run.out())
                .contains("java", "cores", "memory", "vectors", "backend cpu", "rendezvous", "ranks as threads")
                .containsPattern("ranks as processes +ok")
                .contains("Lockstep can run here.");
        assertThat(run.status()).isEqualTo(ExitStatus.RIGHT);
    }

    @Test
    void devicesAreLookedAtAndPeerAccessIsProvenByATransfer() {
        requireDevicesOfTheHost();
        assertThat(run.out())
                .containsPattern("host devices +ok +1; 0: thread \\(host, 3 multiprocessors, 1 GiB\\); 1: thread")
                .containsPattern("host compiler +ok +g\\+\\+ for the host")
                .containsPattern(
                        "host peer access +ok +56 directions tried: 262144 bytes written by one device were right"
                                + " for the other")
                .containsPattern("host between processes +warning +These devices are of one process")
                .containsPattern("host collectives +warning +No library of collectives");
    }

    @Test
    void devicesThatDoNotSeeEachOthersWritesAreFoundOut() {
        requireDevicesOfTheHost();
        assertThat(run.out())
                .containsPattern(
                        "host-with-blind-peers peer access +warning +Between devices: 0 to 1 gives wrong data");
    }

    @Test
    void aVendorWithoutADeviceHasOneLine() {
        // On a machine that has one, its lines are as those of the host's devices.
        for (String vendor : new String[] {"cuda", "hip"}) {
            if (run.out().lines().anyMatch(line -> line.matches("backend " + vendor + " +warning .*"))) {
                assertThat(run.out().lines().filter(line -> line.matches("(backend )?" + vendor + " .*")))
                        .hasSize(1);
            }
        }
    }

    private static void requireDevicesOfTheHost() {
        assumeThat(Path.of("/usr/bin/g++"))
                .as("g++, which compiles the kernels for the host")
                .exists();
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
