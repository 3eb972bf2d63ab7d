package io.lockstep.gpu;

/** Calls that were captured once and are launched as one. Belongs to its plan: every rank captures the same calls. */
public interface GpuGraph extends AutoCloseable {
    /** Queues the captured calls on the plan's stream and returns. */
    void launch();

    @Override
    void close();
}
