package io.lockstep.gpu.driver;

import java.lang.foreign.MemorySegment;

/**
 * A launch that is prepared once and made many times, without allocating: its stream, its threads a block, and the one
 * parameter of the kernel, which is passed by value. Used by one thread at a time.
 */
public interface Launch extends AutoCloseable {
    /** The parameter's bytes; what lies there when a launch is made is what the kernel gets. */
    MemorySegment arguments();

    /** Queues the kernel with so many blocks. The calling thread {@linkplain Driver#use uses} the stream's device. */
    void launch(Kernel kernel, int blocks);

    @Override
    void close();
}
