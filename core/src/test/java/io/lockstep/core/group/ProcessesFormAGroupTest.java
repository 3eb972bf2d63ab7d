package io.lockstep.core.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessesFormAGroupTest {
    private List<RankProcess> ranks = List.of();

    @TempDir
    Path temporary;

    private Path place = Path.of("");

    @BeforeEach
    void setUp() {
        place = Joining.directory(temporary, "place", "rwx------");
    }

    @AfterEach
    void tearDown() {
        ranks.forEach(RankProcess::close);
    }

    @Test
    void twoToEightProcessesJoinExchangeMessagesAndShareMemory() {
        ranks = RankProcess.startAll(8);
        for (int worldSize : new int[] {2, 3, 4, 5, 6, 7, 8}) {
            int size = worldSize;
            List<RankProcess> group = ranks.subList(0, worldSize);
            IntStream.range(0, size).forEach(rank -> join(group.get(rank), "g", rank, size));
            group.forEach(rank -> {
                assertThat(rank.answer()).startsWith("joined");
            });
            assertThat(place).isEmptyDirectory();
            IntStream.range(0, size).forEach(rank -> group.get(rank).tell("gather m" + rank + " 5000"));
            String all = String.join(
                    " ", IntStream.range(0, size).mapToObj(rank -> "m" + rank).toList());
            group.forEach(rank -> assertThat(rank.answer()).isEqualTo(all));
            assertThat(group.getFirst().ask("grow 65536")).isEqualTo("grown");
            assertThat(group.getFirst().ask("write 4711")).isEqualTo("holds 4711");
            group.forEach(rank -> assertThat(rank.ask("read")).isEqualTo("holds 4711"));
            group.forEach(rank -> assertThat(rank.ask("close")).isEqualTo("closed"));
        }
    }

    private void join(RankProcess process, String group, int rank, int worldSize) {
        process.tell("join " + place + " " + group + " " + rank + " " + worldSize + " 20000 1.0");
    }
}
