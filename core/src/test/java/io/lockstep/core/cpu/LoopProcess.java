package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A rank in a process of its own, which {@link LoopMain} runs. */
final class LoopProcess implements AutoCloseable {
    private final Process process;
    private final PrintWriter in;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    /** Starts a JVM with the class path of this one, whose ranks meet in a directory of their own. */
    LoopProcess(Path runtimeDirectory) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmx96m",
                "-cp",
                System.getProperty("java.class.path"),
                LoopMain.class.getName());
        builder.environment().put("XDG_RUNTIME_DIR", runtimeDirectory.toString());
        builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        process = builder.start();
        in = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
        // No virtual thread: it would hold its carrier while it reads, and there are more processes than carriers.
        Thread.ofPlatform().daemon().start(() -> {
            try (BufferedReader out =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                String line;
                while ((line = out.readLine()) != null) {
                    lines.add(line);
                }
            } catch (IOException e) {
                lines.add("lost: " + e);
            }
        });
    }

    void tell(String line) {
        in.println(line);
    }

    /** The next line; fails if none comes, and says what the process does instead. */
    String line(String what, Duration patience) throws IOException, InterruptedException {
        String line = lines.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
        if (line == null) {
            throw new AssertionError(what + ": no line of process " + process.pid() + " within " + patience + ", which "
                    + (process.isAlive() ? "does this:\n" + stacks() : "ended with " + process.exitValue()));
        }
        return line;
    }

    private String stacks() throws IOException {
        Process stacks = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jstack")
                                .toString(),
                        Long.toString(process.pid()))
                .redirectErrorStream(true)
                .start();
        return new String(stacks.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    void signal(String name) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** Whether it holds shared memory of a group, open or mapped. */
    boolean holdsSharedMemory() throws IOException {
        Path self = Path.of("/proc", Long.toString(process.pid()));
        try (Stream<Path> descriptors = Files.list(self.resolve("fd"))) {
            return descriptors.anyMatch(LoopProcess::isSharedMemory)
                    || Files.readString(self.resolve("maps"), StandardCharsets.ISO_8859_1)
                            .contains("memfd:lockstep");
        }
    }

    private static boolean isSharedMemory(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().contains("memfd:lockstep");
        } catch (IOException e) {
            // Closed since it was listed.
            return false;
        }
    }

    void awaitEnd() throws InterruptedException {
        assertThat(process.waitFor(10, TimeUnit.SECONDS))
                .as("process %d has ended", process.pid())
                .isTrue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
