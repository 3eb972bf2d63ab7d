package io.lockstep.gpu.cuda;

import io.lockstep.gpu.driver.Kernel;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A launch by {@code cuLaunchKernelEx}. Its memory, as the driver's header draws it:
 *
 * <pre>
 * CUlaunchConfig      0 grid x, y, z   12 block x, y, z   24 shared bytes   32 stream   40 attributes   48 how many
 * CUlaunchAttribute   0 id             8 value, 64 bytes
 * </pre>
 */
final class CudaLaunch implements Launch {
    static final long CONFIG_BYTES = 56;
    static final long GRID_X = 0;
    static final long GRID_Y = 4;
    static final long GRID_Z = 8;
    static final long BLOCK_X = 12;
    static final long BLOCK_Y = 16;
    static final long BLOCK_Z = 20;
    static final long SHARED_BYTES = 24;
    static final long STREAM = 32;
    static final long ATTRIBUTES = 40;
    static final long ATTRIBUTE_COUNT = 48;
    static final long ATTRIBUTE_BYTES = 72;
    static final long ATTRIBUTE_ID = 0;
    static final long ATTRIBUTE_VALUE = 8;

    /** Lets a kernel be placed while the one before it runs. */
    static final int PROGRAMMATIC_STREAM_SERIALIZATION = 6;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment config;
    private final MemorySegment arguments;
    private final long parameters;

    CudaLaunch(Stream stream, int threads, int argumentBytes, boolean overlapping) {
        config = arena.allocate(CONFIG_BYTES, Long.BYTES);
        arguments = arena.allocate(argumentBytes, 16);
        MemorySegment pointers = arena.allocateFrom(ValueLayout.JAVA_LONG, arguments.address());
        parameters = pointers.address();
        config.set(ValueLayout.JAVA_INT, GRID_Y, 1);
        config.set(ValueLayout.JAVA_INT, GRID_Z, 1);
        config.set(ValueLayout.JAVA_INT, BLOCK_X, threads);
        config.set(ValueLayout.JAVA_INT, BLOCK_Y, 1);
        config.set(ValueLayout.JAVA_INT, BLOCK_Z, 1);
        config.set(ValueLayout.JAVA_LONG, STREAM, stream.handle());
        if (overlapping) {
            MemorySegment attribute = arena.allocate(ATTRIBUTE_BYTES, Long.BYTES);
            attribute.set(ValueLayout.JAVA_INT, ATTRIBUTE_ID, PROGRAMMATIC_STREAM_SERIALIZATION);
            attribute.set(ValueLayout.JAVA_INT, ATTRIBUTE_VALUE, 1);
            config.set(ValueLayout.JAVA_LONG, ATTRIBUTES, attribute.address());
            config.set(ValueLayout.JAVA_INT, ATTRIBUTE_COUNT, 1);
        }
    }

    @Override
    public MemorySegment arguments() {
        return arguments;
    }

    @Override
    public void launch(Kernel kernel, int blocks) {
        config.set(ValueLayout.JAVA_INT, GRID_X, blocks);
        Cuda.launch(config.address(), kernel.handle(), parameters);
    }

    @Override
    public void close() {
        arena.close();
    }
}
