package io.lockstep.cli.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Aligned columns. */
final class TableTest {
    @Test
    void wordsGoLeftAndNumbersGoRight() {
        Table table = new Table().left("name").right("count").left("verdict");
        table.row(List.of("a", "1", "right"));
        table.row(List.of("longer", "12345678", "x"));
        assertThat(table.render())
                .isEqualTo("name       count  verdict\na              1  right\nlonger  12345678  x\n");
    }

    @Test
    void colourTakesNoRoom() {
        Table table = new Table().left("a").left("b");
        table.row(List.of("\u001b[31mred\u001b[0m", "x"));
        table.row(List.of("four", "y"));
        assertThat(table.render()).contains("\u001b[31mred\u001b[0m   x\n").contains("four  y\n");
    }
}
