package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the page on memory ordering shows of a command is what the command prints. */
final class DocumentedTest {
    private static final Path PAGE = Path.of("../docs/memory-ordering.md");
    private static final Pattern COMMAND = Pattern.compile(" *\\$ lockstep (litmus[^']*)(?:'(.*)')?");

    /** A command, and the lines that the page shows under it. */
    private record Block(List<String> arguments, List<String> lines) {}

    @Test
    void everyBlockUnderACommandIsWhatTheCommandPrints() throws IOException {
        List<Block> blocks = blocks(Files.readAllLines(PAGE));
        assertThat(blocks)
                .hasSizeGreaterThan(6)
                .noneMatch(block -> block.lines().isEmpty());
        for (Block block : blocks) {
            List<String> printed = Lockstep.run(block.arguments().toArray(String[]::new))
                    .out()
                    .lines()
                    .toList();
            assertThat(printed).as("%s", block.arguments()).containsSequence(block.lines());
        }
    }

    @Test
    void aLineThatIsNotPrintedIsNoticed() throws IOException {
        List<Block> blocks =
                blocks(List.of("    $ lockstep litmus --explain relaxed", "    PTX, same kernel: FORBIDDEN"));

        assertThat(blocks).hasSize(1);
        assertThat(Lockstep.run("litmus", "--explain", "relaxed").out().lines().toList())
                .doesNotContainSequence(blocks.getFirst().lines());
    }

    private static List<Block> blocks(List<String> page) {
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < page.size(); i++) {
            Matcher command = COMMAND.matcher(page.get(i));
            if (command.matches()) {
                List<String> arguments =
                        new ArrayList<>(List.of(command.group(1).trim().split(" ")));
                if (command.group(2) != null) {
                    arguments.add(command.group(2));
                }
                int margin = page.get(i).indexOf('$');
                List<String> lines = new ArrayList<>();
                while (i + 1 < page.size() && page.get(i + 1).startsWith(" ".repeat(margin))) {
                    lines.add(page.get(++i).substring(margin));
                }
                blocks.add(new Block(List.copyOf(arguments), List.copyOf(lines)));
            }
        }
        return blocks;
    }
}
