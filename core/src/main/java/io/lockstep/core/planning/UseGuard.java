package io.lockstep.core.planning;

import io.lockstep.core.LockstepException;
import io.lockstep.core.UsageException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Who may use a communicator: one thread at a time, and nobody once it has failed or is closed. Two calls at once would
 * share slots: they hang or mix up. Litmus shared-slots.
 */
public final class UseGuard {
    private final int rank;
    private final AtomicBoolean busy = new AtomicBoolean();
    private boolean closed;
    private volatile @Nullable RuntimeException failure;

    /** Of this rank's communicator. */
    public UseGuard(int rank) {
        this.rank = rank;
    }

    /**
     * At the start of every use.
     *
     * @throws UsageException if another thread is in a call, or the communicator has failed or is closed
     */
    public void enter() {
        if (!busy.compareAndSet(false, true)) {
            throw new UsageException("Rank " + rank + ": a second thread uses the communicator while the"
                    + " first is still in a call. Give each thread a rank of its own, or make one call after the other"
                    + " (why: lockstep litmus --explain shared-slots).");
        }
        if (closed || failure != null) {
            busy.set(false);
            throw unusable();
        }
    }

    /**
     * Before something is given back, be the communicator failed or closed: no call may be using it.
     *
     * @throws UsageException if another thread is in a call
     */
    public void enterToClose(String what) {
        if (!busy.compareAndSet(false, true)) {
            throw new UsageException("Rank " + rank + ": " + what
                    + " is closed while another thread is in a call. Let the call end first.");
        }
    }

    /** At the end of every use. */
    public void exit() {
        busy.setRelease(false);
    }

    /** Within a use: whether it was closed before. */
    public boolean closed() {
        return closed;
    }

    /** Within a use: nobody enters any more. */
    public void close() {
        closed = true;
    }

    /** What it failed with; null if it has not. */
    public @Nullable RuntimeException failure() {
        return failure;
    }

    /** Nobody enters any more because of this. Returns it as what may be thrown on. */
    public RuntimeException fail(Throwable e) {
        RuntimeException reason = e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
        failure = reason;
        return reason;
    }

    private LockstepException unusable() {
        RuntimeException earlier = failure;
        if (closed || earlier == null) {
            return new UsageException("Rank " + rank + ": the communicator is closed.");
        }
        return new UsageException(
                "Rank " + rank + ": the communicator failed earlier and is of no further use: close it and"
                        + " join again. It failed with: " + earlier.getMessage(),
                earlier);
    }
}
