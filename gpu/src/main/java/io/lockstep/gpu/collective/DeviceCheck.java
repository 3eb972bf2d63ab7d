package io.lockstep.gpu.collective;

import io.lockstep.core.Buffer;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.DriverException;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.planning.CacheFolder;
import io.lockstep.gpu.DeviceStream;
import io.lockstep.gpu.driver.Code;
import io.lockstep.gpu.driver.DeviceInfo;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.Kernel;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.kernel.KernelCache;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Checks calls on the device that made them: makes tensors from seeds, runs the specification there without any peer,
 * and compares all bits. Everything is queued on one stream, on which the plans that are checked should have their
 * calls too; {@link #difference} waits for it. What is queued while a plan captures becomes part of its graph.
 */
public final class DeviceCheck implements AutoCloseable {
    private static final int BLOCKS_A_MULTIPROCESSOR = 2;

    private final DeviceCommunicator communicator;
    private final Driver driver;
    private final Operation operation;
    private final KernelOptions options;
    private final PlanResources resources;
    private final Stream stream;
    private final HostTransfer transfer;
    private final int blocks;
    private final LocalKernel make;
    private final LocalKernel compare;
    private final LocalKernel reference;
    private final Kernel pause;
    private final Kernel arithmetic;
    private final Launch launch;
    private final CheckArguments arguments;
    private final Launch referenceLaunch;
    private final KernelArguments referenceArguments;
    private final long wrong;
    private final long differences;
    private final long differenceBytes;

    /** Not collective: each rank has its own. */
    DeviceCheck(DeviceCommunicator communicator, Operation operation) {
        this.communicator = communicator;
        this.operation = operation;
        driver = communicator.driver();
        options = KernelOptions.of(operation, communicator.worldSize());
        DeviceInfo device = communicator.info();
        resources = new PlanResources(driver, device.number());
        communicator.enter();
        boolean done = false;
        try {
            Code code = resources.load(new KernelCache(CacheFolder.path().resolve("kernels"))
                    .code(
                            driver.compiler(),
                            driver.version(),
                            device.architecture(),
                            KernelSource.check(),
                            options.defines()));
            make = resources.local(code, "ls_make", options);
            compare = resources.local(code, "ls_compare", options);
            reference = resources.local(code, "ls_reference", options);
            pause = driver.kernel(code, "ls_pause_device");
            arithmetic = driver.kernel(code, "ls_arithmetic");
            stream = resources.stream();
            transfer = new HostTransfer(driver, stream, resources);
            blocks = device.multiprocessors() * BLOCKS_A_MULTIPROCESSOR;
            launch = resources.launch(stream, options.threads(), CheckArguments.BYTES, false);
            arguments = new CheckArguments(launch.arguments());
            referenceLaunch = resources.launch(stream, options.threads(), KernelArguments.BYTES, false);
            referenceArguments = new KernelArguments(referenceLaunch.arguments());
            wrong = resources.memory(Integer.BYTES);
            differenceBytes = (long) blocks * options.threads() * CheckArguments.DIFFERENCE_BYTES;
            differences = resources.memory(differenceBytes);
            arguments.findings(wrong, differences);
            forget();
            done = true;
        } finally {
            if (!done) {
                resources.close();
            }
            communicator.exit();
        }
    }

    /** Where all of this is queued. */
    public DeviceStream stream() {
        return new DeviceStream(stream.device(), stream.handle());
    }

    /**
     * Queues the making of rows of random values.
     *
     * @param key of the tensor; an element depends on it, its row and its column alone
     */
    public void make(DeviceSpan to, long key, int rows) {
        use(() -> {
            arguments.make(to.address(), key, rows);
            launch.launch(make.of(isWhole(List.of(to))), Math.min(rows, blocks));
        });
    }

    /** Queues the filling of bytes. */
    public void fill(DeviceSpan memory, byte value) {
        use(() -> driver.fill(stream, memory.address(), value, memory.bytes()));
    }

    /**
     * Queues the whole operation over the inputs of all ranks, which all lie on this device.
     *
     * @param tensors all but the input; {@code reduced} is wanted
     */
    public void reference(int tokens, List<DeviceSpan> inputs, Tensors tensors) {
        DeviceSpan residual = span(tensors.residual());
        DeviceSpan weight = span(tensors.weight());
        DeviceSpan reduced = span(tensors.reduced());
        DeviceSpan residualOut = span(tensors.residualOut());
        DeviceSpan out = span(tensors.out());
        boolean whole = isWhole(inputs) && isWhole(List.of(residual, weight, reduced, residualOut, out));
        use(() -> {
            referenceArguments.inputs(inputs, operation.epsilon());
            referenceArguments.tensor(KernelArguments.RESIDUAL, residual.address());
            referenceArguments.tensor(KernelArguments.WEIGHT, weight.address());
            referenceArguments.tensor(KernelArguments.REDUCED, reduced.address());
            referenceArguments.tensor(KernelArguments.RESIDUAL_OUT, residualOut.address());
            referenceArguments.tensor(KernelArguments.OUT, out.address());
            referenceArguments.call(tokens, 0);
            referenceLaunch.launch(reference.of(whole), Math.min(tokens, blocks));
        });
    }

    /**
     * Queues the comparison of the first rows of two tensors.
     *
     * @param call and {@code tensor}: what is compared, for {@link Difference.Element}
     */
    public void compare(DeviceSpan found, DeviceSpan wanted, int rows, int call, int tensor) {
        use(() -> {
            arguments.compare(found.address(), wanted.address(), rows, call, tensor);
            launch.launch(compare.of(isWhole(List.of(found, wanted))), Math.min(rows, blocks));
        });
    }

    /** Queues a pause of the stream, so long as the device's clock tells. */
    public void pause(long nanos) {
        use(() -> {
            arguments.pause(nanos);
            launch.launch(pause, 1);
        });
    }

    /**
     * Asks the device's arithmetic of all numbers, where the kernels have shorter ways than the contract's own
     * operations: all pairs of elements, all sums and means of squares. Waits for all that is queued, and some
     * milliseconds more; what comparisons have found until then is forgotten.
     *
     * @throws DriverException if a number comes out with other bits
     */
    public void requireArithmetic() {
        long wrongNumbers = wrongArithmetic();
        if (wrongNumbers > 0) {
            throw new DriverException("The arithmetic of device "
                    + communicator.info().number() + " ("
                    + communicator.info().architecture() + ") is not the contract's: of 2^32 numbers " + wrongNumbers
                    + " come out with other bits by the kernels' short ways than by the plain operations, expected none. "
                    + "Please report this device with its driver, and use the CPU's ranks until then.");
        }
    }

    private long wrongArithmetic() {
        communicator.enter();
        try (Arena arena = Arena.ofConfined()) {
            driver.use(stream.device());
            forget();
            launch.launch(arithmetic, blocks);
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            transfer.download(wrong, count, count.byteSize());
            driver.synchronize(stream);
            forget();
            return Integer.toUnsignedLong(count.get(ValueLayout.JAVA_INT, 0));
        } finally {
            communicator.exit();
        }
    }

    /** Waits for all that is queued: what all comparisons since the last time have found. */
    public Difference difference() {
        communicator.enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            transfer.download(wrong, count, count.byteSize());
            driver.synchronize(stream);
            if (count.get(ValueLayout.JAVA_INT, 0) == 0) {
                return Difference.NONE;
            }
            MemorySegment all = arena.allocate(differenceBytes, Long.BYTES);
            transfer.download(differences, all, differenceBytes);
            driver.synchronize(stream);
            forget();
            return CheckArguments.total(all, operation.dtype());
        } finally {
            communicator.exit();
        }
    }

    private void forget() {
        driver.fill(stream, wrong, (byte) 0, Integer.BYTES);
        driver.fill(stream, differences, (byte) 0, differenceBytes);
    }

    private boolean isWhole(List<DeviceSpan> spans) {
        return options.wholePacks() && spans.stream().allMatch(span -> span.address() % KernelOptions.PACK_BYTES == 0);
    }

    private static DeviceSpan span(@Nullable Buffer buffer) {
        if (buffer instanceof DeviceSpan span) {
            return span;
        }
        throw new IllegalArgumentException(
                "The specification runs on tensors of the device, with a residual and a norm.");
    }

    private void use(Runnable work) {
        communicator.enter();
        try {
            driver.use(stream.device());
            work.run();
        } finally {
            communicator.exit();
        }
    }

    @Override
    public void close() {
        communicator.enterToClose("a check");
        try {
            driver.synchronize(stream);
            resources.close();
        } finally {
            communicator.exit();
        }
    }
}
