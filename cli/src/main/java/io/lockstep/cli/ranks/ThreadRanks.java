package io.lockstep.cli.ranks;

import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.LockstepException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/** Ranks as threads of this JVM, for a single piece of work. */
public final class ThreadRanks {
    private ThreadRanks() {}

    /**
     * Runs the work on every rank, each on a thread of its own, and closes the group.
     *
     * @throws LockstepException the failure of a rank; of several the one that tells most
     */
    public static void run(GroupSpec spec, Consumer<Communicator> work) {
        ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
        List<Thread> threads = new ArrayList<>();
        for (Communicator communicator : Communicator.threads(spec)) {
            threads.add(Thread.ofPlatform()
                    .name("rank " + communicator.rank())
                    .daemon(true)
                    .start(() -> {
                        // Closed by its own thread and at once, so that the others learn of a failure.
                        try (communicator) {
                            work.accept(communicator);
                        } catch (Throwable failure) {
                            failures.add(failure);
                        }
                    }));
        }
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("Interrupted while ranks were at work.", interrupted);
            }
        }
        failures.stream()
                .min(java.util.Comparator.comparing(
                        failure -> RankFailure.of(0, failure).kind()))
                .ifPresent(ThreadRanks::rethrow);
    }

    private static void rethrow(Throwable failure) {
        switch (failure) {
            case RuntimeException known -> throw known;
            case Error error -> throw error;
            default -> throw new IllegalStateException(failure);
        }
    }
}
