package io.lockstep.core.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KilledRanksTest {
    private static final Duration ONE_SECOND = Duration.ofSeconds(1);

    @TempDir
    Path temporary;

    private Path place = Path.of("");
    private List<RankProcess> ranks = List.of();

    @BeforeEach
    void setUp() {
        place = Joining.directory(temporary, "place", "rwx------");
    }

    @AfterEach
    void tearDown() {
        ranks.forEach(RankProcess::close);
        assertThat(place).isEmptyDirectory();
    }

    @Test
    void aKilledRankIsNamedToAllOthersWithinASecondAndTheyFormANewGroup() {
        ranks = RankProcess.startAll(5);
        joinAll(List.of(0, 1, 2, 3), 4);
        long pid = ranks.get(2).pid();
        String ended = "rank 2 (pid " + pid + ") ended";

        // One waits in an exchange, two ask as a waiter does.
        ranks.get(0).tell("gather m0 20000");
        ranks.get(1).tell("lost 2");
        ranks.get(3).tell("lost 2");
        pause();
        ranks.get(2).kill();
        assertThat(ranks.get(0).answer(ONE_SECOND))
                .startsWith("PeerLostException: Rank 0 awaited words of every rank, and " + ended);
        assertThat(ranks.get(1).answer(ONE_SECOND)).isEqualTo(ended);
        assertThat(ranks.get(3).answer(ONE_SECOND)).isEqualTo(ended);
        assertThat(ranks.get(3).ask("gather m3 20000"))
                .startsWith("PeerLostException")
                .contains(ended);

        // The first to leave says why.
        assertThat(ranks.get(0).ask("close")).isEqualTo("closed");
        assertThat(ranks.get(1).ask("lost 0")).endsWith("closed its communicator because " + ended);

        List.of(1, 3).forEach(rank -> assertThat(ranks.get(rank).ask("close")).isEqualTo("closed"));
        joinAll(List.of(0, 1, 4, 3), 4);
        IntStream.of(0, 1, 3, 4).forEach(rank -> ranks.get(rank).tell("gather m" + rank + " 5000"));
        IntStream.of(0, 1, 3, 4)
                .forEach(rank -> assertThat(ranks.get(rank).answer()).isEqualTo("m0 m1 m4 m3"));
    }

    @Test
    void whenRankZeroIsKilledWhileJoiningTheOthersKnowAtOnceAndNothingIsLeft() {
        ranks = RankProcess.startAll(3);
        ranks.forEach(rank -> join(rank, ranks.indexOf(rank), 4));
        pause();
        ranks.get(0).kill();
        for (int rank = 1; rank < 3; rank++) {
            assertThat(ranks.get(rank).answer(ONE_SECOND))
                    .startsWith("PeerLostException: Group 'g': rank 0 (pid "
                            + ranks.get(0).pid() + ") ended while rank " + rank + " (pid ");
        }
        assertThat(place).isEmptyDirectory();
        // The survivors, and as ranks that they were not.
        joinAll(List.of(1, 2), 2);
    }

    @Test
    void whenAnotherRankIsKilledWhileJoiningTheOthersKnowAtOnce() {
        ranks = RankProcess.startAll(3);
        ranks.forEach(rank -> join(rank, ranks.indexOf(rank), 4));
        pause();
        ranks.get(2).kill();
        for (int rank = 0; rank < 2; rank++) {
            assertThat(ranks.get(rank).answer(ONE_SECOND))
                    .isEqualTo("PeerLostException: Group 'g': rank 2 (pid "
                            + ranks.get(2).pid() + ") ended while the group was joining: start the group again.");
        }
        joinAll(List.of(0, 1), 2);
    }

    @Test
    void aStoppedRankIsNotLostButLate() {
        ranks = RankProcess.startAll(2);
        joinAll(List.of(0, 1), 2);
        ranks.get(1).signal("STOP");
        assertThat(ranks.get(0).ask("gather m0 500"))
                .startsWith("CollectiveTimeoutException: Rank 0 waited 500 ms for words of rank 1 (pid "
                        + ranks.get(1).pid() + "), which still runs but did not come");
        ranks.get(1).signal("CONT");
        ranks.forEach(rank -> assertThat(rank.ask("close")).isEqualTo("closed"));
        joinAll(List.of(0, 1), 2);
    }

    private void joinAll(List<Integer> processes, int worldSize) {
        for (int rank = 0; rank < processes.size(); rank++) {
            join(ranks.get(processes.get(rank)), rank, worldSize);
        }
        processes.forEach(process -> assertThat(ranks.get(process).answer()).startsWith("joined"));
    }

    private void join(RankProcess process, int rank, int worldSize) {
        process.tell("join " + place + " g " + rank + " " + worldSize + " 20000 1.0");
    }

    private static void pause() {
        try {
            Thread.sleep(700);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
