package io.lockstep.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Reachability;
import io.lockstep.litmus.launch.Discipline;
import io.lockstep.litmus.launch.Explorer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the code says of a publish or an await, the checker knows. */
class NamedInTheCodeTest {
    private static final Path CORE = Path.of("../core/src/main/java/io/lockstep/core");
    private static final Path GPU = Path.of("../gpu/src/main/java/io/lockstep/gpu");
    private static final Path KERNELS = Path.of("../gpu/src/main/resources/io/lockstep/gpu/kernel");

    /** What the verbs are made of in the kernels; the rest of the kernels uses them. */
    private static final Set<String> VOCABULARY = Set.of("port.h", "steps.h", "protocol.h");

    private static final Pattern SAID = Pattern.compile("[Ww]ithout it: litmus ([a-z-]+(?:, [a-z-]+)*)");
    private static final Pattern CITED = Pattern.compile("litmus --explain ([a-z-]+)");

    /** On a CPU: a verb of SharedWords, or of the host's word for a kernel's report. */
    private static final Pattern CPU_VERB = Pattern.compile("words\\.(?:publish|await)\\(|WORD\\.getAcquire\\(memory");

    /**
     * In a kernel: a fence, a word that carries its own arrival, or the steps of a barrier. A single load is a peek.
     */
    private static final Pattern KERNEL_VERB =
            Pattern.compile("ls_fence_\\w+_sys\\(|ls_(?:load|store)_word(?:s|64)_\\w+_sys\\(|LS_\\w+_STEPS");

    /** The first line of a function: four spaces in in Java, at the margin in a kernel. */
    private static final Pattern JAVA_FUNCTION = Pattern.compile("(?m)^    [A-Za-z@][^=;]*\\) (?:throws \\w+ )?\\{$");

    private static final Pattern KERNEL_FUNCTION = Pattern.compile("(?m)^LS_(?:FN|RARE|KERNEL)\\b.*\\{.*$");

    @Test
    void everyLitmusTestThatTheCodeNamesIsThereAndCaught() throws IOException {
        Set<String> named = new LinkedHashSet<>();
        for (Path file : sources()) {
            Matcher said = SAID.matcher(plain(Files.readString(file)));
            while (said.find()) {
                named.addAll(Arrays.asList(said.group(1).split(", ")));
            }
        }
        assertThat(named)
                .contains("cpu-one-shot", "cpu-two-shot", "one-shot-push", "two-shot-push", "relaxed-start", "relaxed");
        for (String name : named) {
            assertThat(Protocols.named(name)).as(name).isPresent();
            assertIsCaught(name);
        }
    }

    /** A wrong protocol is caught itself, a right one whenever it is made weaker. */
    private static void assertIsCaught(String name) {
        Protocol protocol = Protocols.named(name).orElseThrow();
        if (Protocols.historical().contains(protocol)) {
            assertThat(Judge.table(List.of(protocol)))
                    .as(name)
                    .anyMatch(verdict -> verdict.found() == Reachability.REACHABLE);
        } else {
            assertThat(Weakening.of(protocol)).as(name).isNotEmpty().allMatch(Weakening::asExpected);
        }
    }

    @Test
    void everyRefusalCitesAWayOfLaunchingThatGoesWrong() throws IOException {
        List<String> cited = new ArrayList<>();
        for (Path file : sources()) {
            Matcher said = CITED.matcher(Files.readString(file));
            while (said.find()) {
                cited.add(said.group(1));
            }
        }
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
    void everyPublishAndEveryAwaitNamesOne() throws IOException {
        int verbs = 0;
        for (Path file : sources()) {
            String text = Files.readString(file);
            boolean kernel = file.startsWith(KERNELS);
            Pattern verb = kernel ? KERNEL_VERB : CPU_VERB;
            verbs += (int) verb.matcher(text).results().count();
            assertThat(unnamed(text, verb, kernel ? KERNEL_FUNCTION : JAVA_FUNCTION))
                    .as("%s: functions that publish or await and name no litmus test", file)
                    .isEmpty();
        }
        assertThat(verbs).isGreaterThan(30);
    }

    @Test
    void aPublishThatNamesNoneIsNoticed() throws IOException {
        String lane = Files.readString(CORE.resolve("cpu/Lane.java"));
        String push = Files.readString(KERNELS.resolve("push.h"));

        assertThat(unnamed(lane.replaceFirst("Without it: litmus", "See litmus"), CPU_VERB, JAVA_FUNCTION))
                .singleElement()
                .asString()
                .contains("publishReady");
        assertThat(unnamed(push.replaceFirst("without it:\\s+(?://\\s+)?litmus", ""), KERNEL_VERB, KERNEL_FUNCTION))
                .singleElement()
                .asString()
                .contains("ls_send");
    }

    /** The first lines of the functions in which a verb stands that neither they nor the comment before them name. */
    private static Set<String> unnamed(String text, Pattern verb, Pattern function) {
        List<Integer> starts =
                function.matcher(text).results().map(found -> found.start()).toList();
        Set<String> found = new LinkedHashSet<>();
        Matcher verbs = verb.matcher(text);
        while (verbs.find()) {
            int start = starts.stream().filter(at -> at <= verbs.start()).reduce(0, (first, last) -> last);
            // The comment reaches back to the empty line, or to the end of the function before.
            String before = text.substring(0, start);
            int comment = Math.max(
                    before.lastIndexOf("\n\n"), Math.max(before.lastIndexOf("\n}\n"), before.lastIndexOf("\n    }\n")));
            if (!SAID.matcher(plain(text.substring(Math.max(0, comment), verbs.start())))
                    .find()) {
                found.add(text.substring(start, text.indexOf('\n', start)).trim());
            }
        }
        return found;
    }

    /** The text without the marks of comments, on one line: a sentence may be broken anywhere. */
    private static String plain(String text) {
        return text.replaceAll("(?m)^\\s*(?:\\*|//|/\\*\\*)", " ").replaceAll("\\s+", " ");
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        for (Path root : List.of(CORE, GPU, KERNELS)) {
            try (Stream<Path> files = Files.walk(root)) {
                files.filter(path -> path.toString().matches(".*\\.(?:java|h|cu)"))
                        .filter(path -> !VOCABULARY.contains(path.getFileName().toString()))
                        .forEach(sources::add);
            }
        }
        return sources;
    }
}
