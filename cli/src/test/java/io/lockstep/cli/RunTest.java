package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs once per rank, and what becomes of the others when one fails. */
@Timeout(60)
final class RunTest {
    @TempDir
    Path folder;

    @Test
    void everyRankLearnsWhoItIs() {
        Lockstep run = Lockstep.run(
                "run",
                "-n",
                "3",
                "--group",
                "g1",
                "--output",
                "prefix",
                "--",
                "sh",
                "-c",
                "echo $LOCKSTEP_GROUP $LOCKSTEP_RANK of $LOCKSTEP_WORLD_SIZE");
        assertThat(run.status()).isZero();
        assertThat(run.out().lines()).containsExactlyInAnyOrder("[0] g1 0 of 3", "[1] g1 1 of 3", "[2] g1 2 of 3");
    }

    @Test
    void theGroupIsAnotherOneEachTime() {
        String[] command = {"run", "-n", "2", "--output", "prefix", "--", "sh", "-c", "echo $LOCKSTEP_GROUP"};
        assertThat(Lockstep.run(command).out())
                .isNotEqualTo(Lockstep.run(command).out());
    }

    @Test
    void oneRankFailsAndAllAreEndedWithItsCode() {
        long begin = System.nanoTime();
        Lockstep run = Lockstep.run(
                "run",
                "-n",
                "3",
                "--output",
                "prefix",
                "--",
                "sh",
                "-c",
                "if [ $LOCKSTEP_RANK = 1 ]; then echo oops >&2; exit 7; fi; sleep 50");
        assertThat(run.status()).isEqualTo(7);
        assertThat(run.err()).contains("[1] oops", "rank 1 failed with exit code 7; the other ranks");
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(20));
    }

    @Test
    void aKilledRankIsToldAsKilled() {
        Lockstep run = Lockstep.run(
                "run",
                "-n",
                "2",
                "--output",
                "prefix",
                "--",
                "sh",
                "-c",
                "if [ $LOCKSTEP_RANK = 0 ]; then kill -9 $$; fi; exec sleep 50");
        assertThat(run.status()).isEqualTo(137);
        assertThat(run.err()).contains("rank 0 was killed");
    }

    @Test
    void aProgramThatDoesNotExistIsNamed() {
        Lockstep run = Lockstep.run("run", "-n", "2", "--", "no-such-program-here");
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.err()).contains("Cannot start 'no-such-program-here': there is no such program");
    }

    @Test
    void ranksEndWithAParentThatIsKilled() throws Exception {
        Path pids = folder.resolve("pids");
        List<String> command =
                Commands.lockstep("run", "-n", "2", "--", "sh", "-c", "echo $$ >>" + pids + "; exec sleep 100");
        Process parent = new ProcessBuilder(command).start();
        await(() -> Files.exists(pids) && Files.readAllLines(pids).size() == 2);
        parent.destroyForcibly().waitFor(5, TimeUnit.SECONDS);
        for (String pid : Files.readAllLines(pids)) {
            await(() -> ProcessHandle.of(Long.parseLong(pid))
                            .map(ProcessHandle::isAlive)
                            .orElse(false)
                    == false);
        }
    }

    @Test
    void ranksEndWithAParentThatIsAskedToEnd() throws Exception {
        Path pids = folder.resolve("pids");
        List<String> command =
                Commands.lockstep("run", "-n", "2", "--", "sh", "-c", "echo $$ >>" + pids + "; exec sleep 100");
        Process parent = new ProcessBuilder(command).start();
        await(() -> Files.exists(pids) && Files.readAllLines(pids).size() == 2);
        parent.destroy();
        assertThat(parent.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(parent.exitValue()).isEqualTo(143);
        for (String pid : Files.readAllLines(pids)) {
            await(() -> !ProcessHandle.of(Long.parseLong(pid))
                    .map(ProcessHandle::isAlive)
                    .orElse(false));
        }
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as("waited 20 s").isLessThan(deadline);
            Thread.sleep(20);
        }
    }
}
