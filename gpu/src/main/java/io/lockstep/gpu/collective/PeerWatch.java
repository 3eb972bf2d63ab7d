package io.lockstep.gpu.collective;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Asks now and then whether a peer is gone, and ends the kernels that would wait for it: a kernel cannot see that by
 * itself before its deadline.
 */
final class PeerWatch implements AutoCloseable {
    private static final long PERIOD_MILLIS = 20;

    private final Supplier<@Nullable String> lost;
    private final Thread thread;

    /** Guarded by this: a report's memory is not given back while it is written to. */
    private final Set<CallReport> reports = new HashSet<>();

    private volatile @Nullable String loss;
    private volatile boolean closed;

    PeerWatch(int rank, Supplier<@Nullable String> lost) {
        this.lost = lost;
        thread = Thread.ofPlatform()
                .daemon()
                .name("lockstep gpu rank " + rank + " watch")
                .start(this::watch);
    }

    private void watch() {
        while (!closed) {
            String found = lost.get();
            if (found != null) {
                loss = found;
                synchronized (this) {
                    reports.forEach(CallReport::abort);
                }
            }
            try {
                Thread.sleep(PERIOD_MILLIS);
            } catch (InterruptedException closing) {
                return;
            }
        }
    }

    /** Why the group is no longer whole; null while nobody has seen it. Costs nothing. */
    @Nullable
    String loss() {
        return loss;
    }

    synchronized void add(CallReport report) {
        reports.add(report);
    }

    synchronized void remove(CallReport report) {
        reports.remove(report);
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
