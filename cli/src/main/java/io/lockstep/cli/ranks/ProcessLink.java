package io.lockstep.cli.ranks;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Json;
import io.lockstep.core.GroupSpec;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A rank that is a process: orders and answers are lines of JSON on its standard streams. */
final class ProcessLink<O, R> implements Link<O> {
    private static final int STDERR_LINES = 20;
    private static final long PATIENCE_SECONDS = 3;

    private final int rank;
    private final Process process;
    private final BufferedWriter orders;
    private final BlockingQueue<Answer<R>> answers;
    private final Deque<String> stderr = new ArrayDeque<>();
    private volatile boolean closing;

    private ProcessLink(int rank, Process process, BlockingQueue<Answer<R>> answers) {
        this.rank = rank;
        this.process = process;
        this.orders = process.outputWriter(StandardCharsets.UTF_8);
        this.answers = answers;
    }

    static <O, R> ProcessLink<O, R> start(
            Role<O, R> role, GroupSpec spec, int rank, int heapMegabytes, BlockingQueue<Answer<R>> answers) {
        Process process;
        try {
            process = new ProcessBuilder(RankProcesses.command(role.name(), heapMegabytes)).start();
        } catch (IOException failure) {
            throw CommandFailure.cannotRun(
                    "Cannot start the process of rank " + rank + ": " + failure.getMessage() + ".", failure);
        }
        ProcessLink<O, R> link = new ProcessLink<>(rank, process, answers);
        // Whatever ends this JVM ends its ranks; they also end by themselves when their input does.
        Thread errors =
                Thread.ofPlatform().name("stderr of rank " + rank).daemon(true).start(link::readErrors);
        Thread.ofPlatform().name("reports of rank " + rank).daemon(true).start(() -> link.readAnswers(role, errors));
        link.write(Json.line(RankSetup.of(spec, rank)));
        return link;
    }

    private void readAnswers(Role<O, R> role, Thread errors) {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                answers.add(answer(Json.read(line, RankMessage.class), role));
            }
        } catch (IOException | RuntimeException broken) {
            answers.add(Answer.failure(RankFailure.of(rank, broken)));
        }
        try {
            int code = process.waitFor();
            errors.join(TimeUnit.SECONDS.toMillis(1));
            if (!closing) {
                answers.add(Answer.failure(new RankFailure(rank, RankFailure.Kind.DIED, died(code), "")));
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private Answer<R> answer(RankMessage message, Role<O, R> role) {
        if (message.failure() != null) {
            return Answer.failure(message.failure());
        }
        return message.report() == null
                ? Answer.alive(rank, message.done())
                : Answer.report(rank, Json.read(message.report().toString(), role.reports()));
    }

    private String died(int code) {
        String how = code == 137 || code == 9 ? "its process was killed" : "its process ended";
        synchronized (stderr) {
            return how + " with exit code " + code + " before its work was done."
                    + (stderr.isEmpty() ? "" : " It wrote: " + String.join(" | ", stderr));
        }
    }

    private void readErrors() {
        try (BufferedReader lines = process.errorReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.contains("Using incubator modules")) {
                    keep(line);
                }
            }
        } catch (IOException ended) {
            keep("(its standard error broke off: " + ended.getMessage() + ")");
        }
    }

    private void keep(String line) {
        synchronized (stderr) {
            stderr.addLast(line);
            if (stderr.size() > STDERR_LINES) {
                stderr.removeFirst();
            }
        }
    }

    @Override
    public void send(O order) {
        write(Json.line(order));
    }

    private void write(String line) {
        try {
            orders.write(line);
            orders.newLine();
            orders.flush();
        } catch (IOException gone) {
            // The process has ended; the thread that reads its answers tells how.
        }
    }

    @Override
    public void close() {
        closing = true;
        try {
            closeQuietly(orders);
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
            }
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static void closeQuietly(@Nullable AutoCloseable stream) {
        try {
            if (stream != null) {
                stream.close();
            }
        } catch (Exception gone) {
            // What could not be flushed was for a process that is no longer there.
        }
    }
}
