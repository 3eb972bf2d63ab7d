package io.lockstep.cli.verify;

import io.lockstep.cli.ranks.Pulse;
import io.lockstep.cli.verify.VerifyOrder.Subject;
import io.lockstep.core.Communicator;
import io.lockstep.gpu.GpuCommunicator;
import java.nio.file.Path;

/**
 * One rank's plans and memory for one subject. In an iteration every algorithm runs on the same inputs, and one pass of
 * the specification judges all of them.
 */
interface Trial extends AutoCloseable {
    /** For the ranks of this group. Collective. */
    static Trial of(Communicator communicator, Subject subject) {
        return communicator instanceof GpuCommunicator gpu
                ? new GpuTrial(gpu, subject)
                : new HostTrial(communicator, subject);
    }

    /** Runs iterations and judges every one. */
    VerifyReport run(long first, int count, Pulse pulse);

    /**
     * Writes the call of an iteration, which has to be the last that was run: what {@code apply} reads, and what this
     * rank found under {@code found.ALGORITHM.…}.
     */
    void save(long iteration, Path path);

    @Override
    void close();
}
