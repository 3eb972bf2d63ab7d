package io.lockstep.core.cpu;

import io.lockstep.core.posix.Affinity;
import java.util.BitSet;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The threads of a rank beside the calling one: lane 0 is the caller's, lane k that of worker k. They sleep between
 * calls.
 */
final class Team implements AutoCloseable {
    private static final int SPINS = 4000;

    private final Worker[] workers;

    /**
     * @param lanes how many threads with the caller's
     * @param name of the rank, for the names of the threads
     * @param processors the processor of each lane; null leaves the threads unbound
     */
    Team(int lanes, String name, int @Nullable [] processors) {
        workers = new Worker[lanes - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(name + " lane " + (i + 1), processors == null ? -1 : processors[i + 1]);
            workers[i].start();
        }
    }

    /** Runs the first lanes, the first of all on the calling thread, and returns when all are done. */
    void run(Lane[] lanes, int active) {
        for (int lane = 1; lane < active; lane++) {
            workers[lane - 1].begin(lanes[lane]);
        }
        Throwable failure = null;
        try {
            lanes[0].run();
        } catch (RuntimeException | Error e) {
            failure = e;
        }
        for (int lane = 1; lane < active; lane++) {
            Throwable other = workers[lane - 1].awaitEnd();
            failure = failure == null ? other : failure;
        }
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
    }

    @Override
    public void close() {
        for (Worker worker : workers) {
            worker.end();
        }
    }

    private static final class Worker extends Thread {
        private final int processor;
        private volatile @Nullable Lane lane;
        private volatile boolean parked;
        private volatile boolean ended;
        private @Nullable Throwable failure;

        Worker(String name, int processor) {
            super(name);
            this.processor = processor;
            setDaemon(true);
        }

        void begin(Lane next) {
            failure = null;
            lane = next;
            if (parked) {
                LockSupport.unpark(this);
            }
        }

        // To yield is the point: the lane that is awaited may need this processor.
        @Nullable
        Throwable awaitEnd() {
            for (int i = 0; lane != null; i++) {
                if (i < SPINS) {
                    Thread.onSpinWait();
                } else {
                    Thread.yield();
                }
            }
            return failure;
        }

        void end() {
            ended = true;
            LockSupport.unpark(this);
        }

        @Override
        public void run() {
            if (processor >= 0) {
                BitSet one = new BitSet();
                one.set(processor);
                Affinity.bindCurrentThread(one);
            }
            int idle = 0;
            while (!ended) {
                Lane next = lane;
                if (next != null) {
                    try {
                        next.run();
                    } catch (RuntimeException | Error e) {
                        failure = e;
                    }
                    lane = null;
                    idle = 0;
                } else if (idle++ < SPINS) {
                    Thread.onSpinWait();
                } else {
                    parked = true;
                    if (lane == null && !ended) {
                        LockSupport.park(this);
                    }
                    parked = false;
                    idle = 0;
                }
            }
        }
    }
}
