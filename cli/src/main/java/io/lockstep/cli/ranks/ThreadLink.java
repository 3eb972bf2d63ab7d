package io.lockstep.cli.ranks;

import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A rank that is a thread of this JVM. */
final class ThreadLink<O, R> implements Link<O> {
    private static final long PATIENCE_MILLIS = TimeUnit.SECONDS.toMillis(5);

    private final BlockingQueue<Optional<O>> orders = new LinkedBlockingQueue<>();
    private final Thread thread;

    private ThreadLink(Role<O, R> role, Communicator communicator, BlockingQueue<Answer<R>> answers) {
        thread = Thread.ofPlatform()
                .name("rank " + communicator.rank())
                .daemon(true)
                .unstarted(() -> serve(role, communicator, answers));
    }

    static <O, R> List<ThreadLink<O, R>> start(Role<O, R> role, GroupSpec spec, BlockingQueue<Answer<R>> answers) {
        List<ThreadLink<O, R>> links = Communicator.threads(spec).stream()
                .map(communicator -> new ThreadLink<>(role, communicator, answers))
                .toList();
        links.forEach(link -> link.thread.start());
        return links;
    }

    private void serve(Role<O, R> role, Communicator communicator, BlockingQueue<Answer<R>> answers) {
        int rank = communicator.rank();
        Pulse pulse = new Pulse(done -> answers.add(Answer.alive(rank, done)));
        try (communicator;
                Worker<O, R> worker = role.start().apply(communicator)) {
            for (Optional<O> order = orders.take(); order.isPresent(); order = orders.take()) {
                answers.add(Answer.report(rank, worker.handle(order.get(), pulse)));
            }
        } catch (Throwable failure) {
            answers.add(Answer.failure(RankFailure.of(rank, failure)));
        }
    }

    @Override
    public void send(O order) {
        orders.add(Optional.of(order));
    }

    @Override
    public void close() {
        orders.add(Optional.empty());
        try {
            thread.join(PATIENCE_MILLIS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
