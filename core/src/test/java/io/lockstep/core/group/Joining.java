package io.lockstep.core.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.lockstep.core.GroupSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Ranks that join as processes do, but as threads of this JVM. */
final class Joining implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Path place;

    Joining(Path place) {
        this.place = place;
    }

    /** A new directory with this mode. */
    static Path directory(Path parent, String name, String mode) {
        try {
            Path directory = Files.createDirectory(parent.resolve(name));
            return Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(mode));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int openDescriptors() {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return (int) open.count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    CompletableFuture<Membership> join(String group, int rank, int worldSize) {
        return join(GroupSpec.of(group, rank, worldSize).withJoinTimeout(PATIENCE), "1.0");
    }

    CompletableFuture<Membership> join(GroupSpec spec, String version) {
        return CompletableFuture.supplyAsync(() -> Rendezvous.join(spec, place, version), threads);
    }

    List<Membership> joinAll(String group, int worldSize) {
        List<CompletableFuture<Membership>> joins = IntStream.range(0, worldSize)
                .mapToObj(rank -> join(group, rank, worldSize))
                .toList();
        return joins.stream().map(Joining::result).toList();
    }

    /** What each rank gets of an exchange that all ranks make at once. */
    List<CompletableFuture<byte[][]>> gatherAll(List<Membership> members, String what, byte[] mine, Duration timeout) {
        return members.stream()
                .map(member -> CompletableFuture.supplyAsync(() -> member.allGather(what, mine, timeout), threads))
                .toList();
    }

    static <T> T result(CompletableFuture<T> future) {
        try {
            return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** How it failed; it must have, and with this exception. */
    static String failure(CompletableFuture<?> future, Class<? extends Throwable> expected) {
        Throwable thrown = catchThrowable(() -> future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        assertThat(thrown).isInstanceOf(ExecutionException.class);
        Throwable cause = Objects.requireNonNull(thrown.getCause());
        assertThat(cause).isInstanceOf(expected);
        return String.valueOf(cause.getMessage());
    }

    /** That all is as if nothing had been: a new group of the same name can form. */
    void assertThatANewGroupForms(String group, int worldSize) {
        List<Membership> members = joinAll(group, worldSize);
        gatherAll(members, "again", new byte[1], PATIENCE).forEach(Joining::result);
        members.forEach(Membership::close);
        assertThat(place).isEmptyDirectory();
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
