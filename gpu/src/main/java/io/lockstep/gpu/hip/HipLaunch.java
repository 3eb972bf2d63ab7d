package io.lockstep.gpu.hip;

import io.lockstep.gpu.driver.Kernel;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A launch by {@code hipModuleLaunchKernel}, whose parameters are addresses of arguments: here of one. */
final class HipLaunch implements Launch {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment arguments;
    private final long parameters;
    private final long stream;
    private final int threads;

    HipLaunch(Stream stream, int threads, int argumentBytes) {
        this.stream = stream.handle();
        this.threads = threads;
        arguments = arena.allocate(argumentBytes, 16);
        parameters =
                arena.allocateFrom(ValueLayout.JAVA_LONG, arguments.address()).address();
    }

    @Override
    public MemorySegment arguments() {
        return arguments;
    }

    @Override
    public void launch(Kernel kernel, int blocks) {
        Hip.launch(kernel.handle(), blocks, threads, stream, parameters);
    }

    @Override
    public void close() {
        arena.close();
    }
}
