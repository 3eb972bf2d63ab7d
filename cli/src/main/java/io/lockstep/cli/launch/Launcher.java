package io.lockstep.cli.launch;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Console;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Runs a program once per rank until all have ended or one has failed; then the others are ended: asked first, killed
 * two seconds later.
 */
public final class Launcher {
    /** The environment by which a program learns who it is; {@code GroupSpec.fromEnvironment} reads it. */
    private static final String RANK = "LOCKSTEP_RANK";

    private static final String WORLD_SIZE = "LOCKSTEP_WORLD_SIZE";
    private static final String GROUP = "LOCKSTEP_GROUP";
    private static final String BACKEND = "LOCKSTEP_BACKEND";

    private static final long GRACE_SECONDS = 2;

    private final Launch launch;
    private final Console console;
    private final List<Process> ranks = new ArrayList<>();
    private final List<Thread> copiers = new ArrayList<>();
    private final BlockingQueue<Integer> ended = new LinkedBlockingQueue<>();

    public Launcher(Launch launch, Console console) {
        this.launch = launch;
        this.console = console;
    }

    /** Runs to the end: 0 if every rank ended with 0, else the code of the first that did not. */
    public int run() throws InterruptedException, IOException {
        // SIGINT and SIGTERM end this JVM through its shutdown hooks.
        Thread hook = new Thread(this::endAll, "end ranks");
        Runtime.getRuntime().addShutdownHook(hook);
        try (Watchdog watchdog = Watchdog.start()) {
            try {
                for (int rank = 0; rank < launch.ranks(); rank++) {
                    start(rank, watchdog);
                }
                return await(watchdog);
            } finally {
                endAll();
                for (Thread copier : copiers) {
                    copier.join(TimeUnit.SECONDS.toMillis(GRACE_SECONDS));
                }
            }
        } finally {
            removeHook(hook);
        }
    }

    private void start(int rank, Watchdog watchdog) {
        ProcessBuilder builder = new ProcessBuilder(launch.command());
        builder.environment().put(RANK, Integer.toString(rank));
        builder.environment().put(WORLD_SIZE, Integer.toString(launch.ranks()));
        builder.environment().put(GROUP, launch.group());
        if (launch.backend() != null) {
            builder.environment().put(BACKEND, launch.backend());
        }
        // One terminal, many ranks: the first one may read it.
        builder.redirectInput(rank == 0 ? Redirect.INHERIT : Redirect.from(new File("/dev/null")));
        if (!launch.prefix()) {
            builder.redirectOutput(Redirect.INHERIT).redirectError(Redirect.INHERIT);
        }
        Process process;
        try {
            process = builder.start();
        } catch (IOException failure) {
            throw CommandFailure.cannotRun(
                    "Cannot start '" + launch.command().getFirst() + "': " + why(failure)
                            + ". Give the program's path, or a name that is on PATH.",
                    failure);
        }
        synchronized (ranks) {
            ranks.add(process);
        }
        watchdog.add(process);
        if (launch.prefix()) {
            copy(new LinePrefixer(process.getInputStream(), console.out(), console.faint("[" + rank + "] ")));
            copy(new LinePrefixer(process.getErrorStream(), console.err(), console.faint("[" + rank + "] ")));
        }
        var unused = process.onExit().thenRun(() -> ended.add(rank));
    }

    private void copy(LinePrefixer prefixer) {
        Thread thread = new Thread(prefixer, "output");
        thread.setDaemon(true);
        thread.start();
        copiers.add(thread);
    }

    private int await(Watchdog watchdog) throws InterruptedException {
        for (int count = 0; count < launch.ranks(); count++) {
            int rank = ended.take();
            Process process = ranks.get(rank);
            watchdog.gone(process);
            int code = process.exitValue();
            if (code != 0) {
                int others = launch.ranks() - 1 - count;
                console.err()
                        .println("lockstep: rank " + rank + " " + describe(code)
                                + (others == 0
                                        ? "."
                                        : "; the other ranks that still ran (" + others + ") were ended."));
                return code;
            }
        }
        return 0;
    }

    /** A shell's convention: 128 and the number of the signal. */
    private static String describe(int code) {
        return switch (code) {
            case 130 -> "was interrupted (exit code 130)";
            case 137 -> "was killed (exit code 137)";
            case 139 -> "crashed (exit code 139, segmentation fault)";
            case 143 -> "was ended by a signal (exit code 143)";
            default -> "failed with exit code " + code;
        };
    }

    private void endAll() {
        List<Process> running;
        synchronized (ranks) {
            running = ranks.stream().filter(Process::isAlive).toList();
        }
        // A rank may be a shell around the program: its children are ended with it.
        List<ProcessHandle> handles = running.stream()
                .flatMap(process -> java.util.stream.Stream.concat(
                        process.descendants(), java.util.stream.Stream.of(process.toHandle())))
                .toList();
        handles.forEach(ProcessHandle::destroy);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(GRACE_SECONDS);
        for (ProcessHandle handle : handles) {
            try {
                handle.onExit().get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            } catch (Exception stillThere) {
                handle.destroyForcibly();
            }
        }
    }

    private static void removeHook(@Nullable Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException shuttingDown) {
            // The hook is running: it does the same as the end of run.
        }
    }

    private static String why(IOException failure) {
        String text = String.valueOf(failure.getMessage());
        return text.contains("o such file")
                ? "there is no such program"
                : text.contains("error=13") ? "permission denied" : text;
    }
}
