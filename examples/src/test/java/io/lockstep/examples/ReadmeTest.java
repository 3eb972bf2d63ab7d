package io.lockstep.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ReadmeTest {
    @Test
    void theReadmeShowsTheExampleAsItIs() throws IOException {
        String example = Files.readString(Path.of("src/main/java/io/lockstep/examples/OneLayer.java"));
        assertThat(Files.readString(Path.of("../README.md"))).contains("```java\n" + example + "```");
    }
}
