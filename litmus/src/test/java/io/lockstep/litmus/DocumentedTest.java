package io.lockstep.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the page on memory ordering shows is what the checker prints. */
class DocumentedTest {
    private static final Path PAGE = Path.of("../docs/memory-ordering.md");

    @Test
    void everyPrintedEventAndVerdictIsOneOfTheCheckers() throws IOException {
        Set<String> printed = new HashSet<>();
        for (Protocol protocol : Protocols.historical()) {
            for (String line : Judge.explain(protocol)) {
                printed.add(line.strip());
                printed.add(protocol.name() + ", " + line.strip());
            }
        }
        for (Weakening weakening : Weakening.of(Protocols.oneShotPush())) {
            for (Verdict verdict : Judge.table(List.of(weakening.protocol()))) {
                verdict.counterexample().forEach(line -> printed.add(line.strip()));
            }
        }
        Report.ofEverything().lines().forEach(line -> printed.add(line.strip()));
        List<String> shown = Files.readAllLines(PAGE).stream()
                .filter(line -> line.startsWith("    "))
                .map(String::strip)
                .filter(line -> line.startsWith("[")
                        || line.startsWith("--")
                        || line.contains("REACHABLE, ")
                        || line.contains("a bug")
                        || line.contains("no bug"))
                .toList();
        assertThat(shown).hasSizeGreaterThan(20);
        assertThat(printed).containsAll(shown);
    }
}
