package io.lockstep.core.planning;

import io.lockstep.core.Communicator;
import io.lockstep.core.group.Membership;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/** Opens the communicators of a group within this JVM. */
public final class LocalRanks {
    private LocalRanks() {}

    /** One communicator for each place. Opening is collective: each rank does it on a thread of its own. */
    public static List<Communicator> open(List<Membership> members, Function<Membership, Communicator> opener) {
        try (ExecutorService threads = Executors.newFixedThreadPool(members.size())) {
            List<Future<Communicator>> opening = new ArrayList<>();
            for (Membership member : members) {
                opening.add(threads.submit(() -> opener.apply(member)));
            }
            return opened(opening, members);
        }
    }

    private static List<Communicator> opened(List<Future<Communicator>> opening, List<Membership> members) {
        List<Communicator> opened = new ArrayList<>();
        try {
            for (Future<Communicator> one : opening) {
                opened.add(one.get());
            }
            return opened;
        } catch (ExecutionException | InterruptedException e) {
            // The ranks that still wait for the one that failed learn at once that nobody will come.
            members.forEach(Membership::close);
            opened.forEach(Communicator::close);
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("Opening a group within this JVM failed.", e);
        }
    }
}
