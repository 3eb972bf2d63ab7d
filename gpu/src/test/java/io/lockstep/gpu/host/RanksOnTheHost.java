package io.lockstep.gpu.host;

import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.gpu.GpuCommunicator;
import io.lockstep.gpu.collective.DeviceRanks;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Ranks of one JVM on devices that are threads, each driven by a thread of its own. */
final class RanksOnTheHost implements AutoCloseable {
    private static final int STUCK_SECONDS = 120;

    /** What one rank does. */
    interface Body<T> {
        /** Its answer. */
        T run(GpuCommunicator rank) throws Exception;
    }

    private final List<Communicator> ranks;
    private final ExecutorService threads;

    RanksOnTheHost(HostDriver driver, int worldSize) {
        ranks = DeviceRanks.threads(GroupSpec.of("host", 0, worldSize), driver);
        threads = Executors.newFixedThreadPool(
                worldSize, Thread.ofPlatform().daemon().factory());
    }

    /** The answers of all ranks; what one of them throws is thrown here. */
    <T> List<T> each(Body<T> body) throws Exception {
        List<Future<T>> running = new ArrayList<>();
        for (Communicator rank : ranks) {
            Callable<T> task = () -> body.run((GpuCommunicator) rank);
            running.add(threads.submit(task));
        }
        List<T> answers = new ArrayList<>();
        for (Future<T> answer : running) {
            try {
                answers.add(answer.get(STUCK_SECONDS, TimeUnit.SECONDS));
            } catch (ExecutionException e) {
                throw e.getCause() instanceof Exception reason ? reason : e;
            }
        }
        return answers;
    }

    @Override
    public void close() {
        try {
            each(rank -> {
                rank.close();
                return true;
            });
        } catch (Exception e) {
            throw new IllegalStateException("A rank does not close.", e);
        } finally {
            threads.shutdown();
        }
    }
}
