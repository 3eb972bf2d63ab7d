package io.lockstep.cli.bench;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Json;
import io.lockstep.cli.inputs.Shape;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * A program that measures itself when it is told to, so that its blocks can take turns with ours. It is started with
 * {@code --tp RANKS --serve} and speaks lines:
 *
 * <pre>
 * block TOKENS HIDDEN ALGORITHM COPY MILLIS      →  {"iterations": …, "p50_us": …, "p90_us": …, "p99_us": …,
 *                                                    "rtt_before_ns": …, "rtt_after_ns": …}   or   {"error": "…"}
 * quit
 * </pre>
 */
final class ExternalProgram implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Its answer. */
    record Answer(
            long iterations,
            double p50Us,
            double p90Us,
            double p99Us,
            double rttBeforeNs,
            double rttAfterNs,
            @Nullable String error) {}

    private final String name;
    private final Process process;
    private final BufferedWriter orders;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    private ExternalProgram(String name, Process process) {
        this.name = name;
        this.process = process;
        this.orders = process.outputWriter(StandardCharsets.UTF_8);
        Thread.ofPlatform().name("answers of " + name).daemon(true).start(this::read);
    }

    static ExternalProgram start(List<String> program, int worldSize) {
        List<String> command = new ArrayList<>(program);
        command.addAll(List.of("--tp", Integer.toString(worldSize), "--serve"));
        try {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            return new ExternalProgram(program.getFirst(), process);
        } catch (IOException failure) {
            throw CommandFailure.cannotRun(
                    "Cannot start --against " + program.getFirst() + ": " + failure.getMessage() + ".", failure);
        }
    }

    /** Runs one block. */
    Answer block(Shape shape, String algorithmAndCopy, Duration length) {
        try {
            orders.write("block " + shape.tokens() + " " + shape.hidden() + " " + algorithmAndCopy + " "
                    + length.toMillis());
            orders.newLine();
            orders.flush();
            String line = lines.poll(PATIENCE.plus(length).toMillis(), TimeUnit.MILLISECONDS);
            if (line == null) {
                throw CommandFailure.cannotRun(name + " did not answer within " + PATIENCE.toSeconds()
                        + " s to a block of " + shape + " " + algorithmAndCopy + ".");
            }
            Answer answer = Json.read(line, Answer.class);
            if (answer.error() != null) {
                throw CommandFailure.cannotRun(
                        name + " cannot run " + shape + " " + algorithmAndCopy + ": " + answer.error() + ".");
            }
            return answer;
        } catch (IOException | JacksonException broken) {
            throw CommandFailure.cannotRun(
                    name + " ended or answered with something else than a line of JSON: " + broken.getMessage() + ".",
                    broken);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw CommandFailure.cannotRun("Interrupted while " + name + " was measured.", interrupted);
        }
    }

    private void read() {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(line);
            }
        } catch (IOException broken) {
            // Told by the line that follows.
        }
        lines.add("(its output ended)");
    }

    @Override
    public void close() {
        try (orders) {
            orders.write("quit\n");
        } catch (IOException gone) {
            // It has ended already, which is what is wanted.
        }
        try {
            if (!process.waitFor(3, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
