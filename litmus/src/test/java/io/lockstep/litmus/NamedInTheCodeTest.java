package io.lockstep.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.protocol.Protocols;
import io.lockstep.litmus.launch.Discipline;
import io.lockstep.litmus.launch.Explorer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the code says of a publish or an await, the checker knows. */
class NamedInTheCodeTest {
    private static final Path CORE = Path.of("../core/src/main/java/io/lockstep/core");
    private static final Path GPU = Path.of("../gpu/src/main/java/io/lockstep/gpu");
    private static final Pattern SAID = Pattern.compile("Without it:\\s+(?:\\*\\s+)?litmus\\s+(?:\\*\\s+)?([a-z-]+)");
    private static final Pattern CITED = Pattern.compile("litmus --explain ([a-z-]+)");
    private static final Pattern VERB = Pattern.compile("(?:void publish|void await)(?:Ready|Shared)\\(");

    @Test
    void everyLitmusTestThatTheCodeNamesIsThereAndItsWeakenedTwinsAreCaught() throws IOException {
        List<String> named = found(SAID);
        assertThat(named).contains("cpu-one-shot", "cpu-two-shot");
        for (String name : named) {
            assertThat(Protocols.named(name)).as(name).isPresent();
            assertThat(Weakening.of(Protocols.named(name).orElseThrow()))
                    .as(name)
                    .isNotEmpty()
                    .allMatch(twin -> twin.isCaught()
                            || Weakening.redundant().containsKey(twin.protocol().name()));
        }
    }

    @Test
    void everyRefusalCitesAWayOfLaunchingThatGoesWrong() throws IOException {
        List<String> cited = found(CITED);
        assertThat(cited).contains("shared-slots", "order-differs");
        for (String name : cited) {
            Discipline discipline = Stream.of(Discipline.values())
                    .filter(known -> known.label().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("There is no way of launching called " + name + "."));
            Explorer.Outcome outcome = Explorer.explore(discipline);
            assertThat(outcome.hangs() || outcome.mixes()).as(name).isTrue();
        }
    }

    @Test
    void everyPublishAndAwaitOfALaneNamesOne() throws IOException {
        String lane = Files.readString(CORE.resolve("cpu/Lane.java"));
        assertThat(VERB.matcher(lane).results().count()).isEqualTo(4);
        assertThat(SAID.matcher(lane).results().count()).isEqualTo(4);
    }

    private static List<String> found(Pattern pattern) throws IOException {
        List<String> names = new ArrayList<>();
        for (Path root : List.of(CORE, GPU)) {
            try (Stream<Path> files = Files.walk(root)) {
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".java")).toList()) {
                    Matcher said = pattern.matcher(Files.readString(file));
                    while (said.find()) {
                        names.add(said.group(1));
                    }
                }
            }
        }
        return names;
    }
}
