package io.lockstep.core.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The compiler inlines every vector operation of every loop. Where it gives up for a method's size, it allocates each
 * vector instead, and says so only in a log that nobody reads.
 */
class InliningTest {
    private static final String GAVE_UP = "NodeCountInliningCutoff";

    @Test
    void noLoopIsTooLargeForTheCompiler() throws Exception {
        List<String> log = compilerLog();
        assertThat(log).contains("all loops ran");
        assertThat(log.stream().filter(line -> line.contains("Vectors/0x")).count())
                .as("lines of the log about our loops")
                .isPositive();
        assertThat(log.stream().filter(line -> line.contains(GAVE_UP))).isEmpty();
    }

    @Test
    void aLoopThatIsTooLargeIsSeen() throws Exception {
        List<String> log = compilerLog("oversized");
        assertThat(log).contains("all loops ran");
        assertThat(log.stream().filter(line -> line.contains(GAVE_UP))).isNotEmpty();
    }

    private static List<String> compilerLog(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of("-XX:+UnlockDiagnosticVMOptions", "-XX:+PrintInlining", "-Xbatch", "-XX:+UseSerialGC"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), HotLoops.class.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> kept = new ArrayList<>();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line;
            while ((line = out.readLine()) != null) {
                if (line.contains(GAVE_UP) || line.contains("Vectors/0x") || line.startsWith("all loops")) {
                    kept.add(line);
                }
            }
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.waitFor()).isZero();
        return kept;
    }
}
