package io.lockstep.core.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessesFormAGroupTest {
    private final List<RankProcess> started = new ArrayList<>();

    @TempDir
    Path temporary;

    private Path place = Path.of("");

    @BeforeEach
    void setUp() throws Exception {
        place = Files.createDirectory(
                temporary.resolve("place"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    @AfterEach
    void tearDown() {
        started.forEach(RankProcess::close);
    }

    @Test
    void twoToEightProcessesJoinExchangeMessagesAndShareMemory() throws Exception {
        List<RankProcess> ranks = start(8);
        for (int worldSize : new int[] {2, 3, 8, 8, 8}) {
            int size = worldSize;
            List<RankProcess> group = ranks.subList(0, worldSize);
            IntStream.range(0, size).forEach(rank -> join(group.get(rank), "g", rank, size));
            group.forEach(rank -> {
                String answer = rank.answer();
                System.err.println(size + " ranks: " + answer);
                assertThat(answer).startsWith("joined");
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

    private List<RankProcess> start(int count) {
        List<RankProcess> ranks =
                IntStream.range(0, count).mapToObj(i -> RankProcess.start()).toList();
        started.addAll(ranks);
        ranks.forEach(rank -> assertThat(rank.answer()).isEqualTo("ready"));
        return ranks;
    }

    private void join(RankProcess process, String group, int rank, int worldSize) {
        process.tell("join " + place + " " + group + " " + rank + " " + worldSize + " 20000 1.0");
    }
}
