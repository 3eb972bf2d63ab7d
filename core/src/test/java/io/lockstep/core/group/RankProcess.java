package io.lockstep.core.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** A rank in a process of its own, which {@link RankMain} runs: it is told lines and answers lines. */
final class RankProcess implements AutoCloseable {
    private final Process process;
    private final PrintWriter in;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

    private RankProcess(Process process) {
        this.process = process;
        this.in = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
        Thread.ofVirtual().start(() -> {
            try (BufferedReader out =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                String line;
                while ((line = out.readLine()) != null) {
                    answers.add(line);
                }
            } catch (IOException e) {
                answers.add("lost: " + e);
            }
        });
    }

    /** Starts a JVM with the class path of this one; returns when it is ready to join. */
    static RankProcess start(String... prefix) {
        List<String> command = new ArrayList<>(List.of(prefix));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m", "-Xshare:auto"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), RankMain.class.getName()));
        try {
            return new RankProcess(new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts so many at once; returns when all are ready. */
    static List<RankProcess> startAll(int count) {
        List<RankProcess> ranks =
                IntStream.range(0, count).mapToObj(i -> start()).toList();
        ranks.forEach(rank -> assertThat(rank.answer()).isEqualTo("ready"));
        return ranks;
    }

    long pid() {
        return process.pid();
    }

    RankProcess tell(String line) {
        in.println(line);
        return this;
    }

    /** The next answer; fails if none comes. */
    String answer() {
        return answer(Duration.ofSeconds(20));
    }

    String answer(Duration patience) {
        try {
            String answer = answers.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
            assertThat(answer)
                    .as("an answer of process %d within %s", pid(), patience)
                    .isNotNull();
            return answer;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    String ask(String line) {
        return tell(line).answer();
    }

    void kill() {
        process.destroyForcibly();
    }

    void signal(String name) {
        try {
            assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(pid()))
                            .start()
                            .waitFor())
                    .isZero();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
