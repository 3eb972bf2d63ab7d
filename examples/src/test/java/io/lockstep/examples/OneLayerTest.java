package io.lockstep.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class OneLayerTest {
    @Test
    void bothRanksGetTheWholeLayer() {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream console = System.out;
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            OneLayer.main(new String[0]);
        } finally {
            System.setOut(console);
        }
        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .containsExactlyInAnyOrder(
                        "rank 0: 1 + 2 + residual 1 = 4, normalised and halved = 0.5",
                        "rank 1: 1 + 2 + residual 1 = 4, normalised and halved = 0.5");
    }
}
