package io.lockstep.core.cpu;

import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.kernels.Kernels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs a body once per rank, each on a thread of its own, in a fresh group. */
final class Ranks {
    private Ranks() {}

    interface Body {
        void run(Communicator communicator) throws Exception;
    }

    static GroupSpec spec(int worldSize) {
        return GroupSpec.of("test", 0, worldSize)
                .withThreads(1)
                .withJoinTimeout(Duration.ofSeconds(20))
                .withCallTimeout(Duration.ofSeconds(20));
    }

    static void run(GroupSpec spec, Body body) {
        run(spec, new SharedWords(), Kernels.preferredVectorBits(), body);
    }

    static void run(GroupSpec spec, SharedWords words, int vectorBits, Body body) {
        List<Communicator> group = CpuBackend.threads(spec, words, vectorBits);
        List<Throwable> failures = run(group, body);
        group.forEach(Communicator::close);
        if (!failures.isEmpty()) {
            AssertionError error = new AssertionError(failures.getFirst());
            failures.forEach(error::addSuppressed);
            throw error;
        }
    }

    /** What each rank threw, in the order of the ranks; empty if none did. */
    static List<Throwable> run(List<Communicator> group, Body body) {
        List<Throwable> failures = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(group.size())) {
            List<Future<?>> running = new ArrayList<>();
            for (Communicator communicator : group) {
                running.add(threads.submit(() -> {
                    body.run(communicator);
                    return null;
                }));
            }
            for (Future<?> one : running) {
                try {
                    one.get();
                } catch (ExecutionException e) {
                    failures.add(e.getCause());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    failures.add(e);
                }
            }
        }
        return failures;
    }
}
