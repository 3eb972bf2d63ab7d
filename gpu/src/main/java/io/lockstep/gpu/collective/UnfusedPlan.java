package io.lockstep.gpu.collective;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Buffer;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.HostBuffer;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.UsageException;
import io.lockstep.core.planning.CacheFolder;
import io.lockstep.gpu.DeviceStream;
import io.lockstep.gpu.GpuGraph;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.driver.DeviceInfo;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.kernel.KernelCache;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The operation as frameworks run it without fusion: the plain all-reduce, then the residual add, then the norm, each
 * with a launch of its own. The bits are those of the contract. Tensors lie on the device.
 */
final class UnfusedPlan implements GpuPlan {
    private final DeviceCommunicator communicator;
    private final Driver driver;
    private final Operation operation;
    private final GpuPlan sum;
    private final PlanResources resources;
    private final DeviceSpan sums;
    private final Part add;
    private final Part norm;

    /** A launch of what follows a sum, with one of its parts. */
    private static final class Part {
        private final Launch launch;
        private final KernelArguments arguments;
        private final LocalKernel kernel;
        private final KernelOptions options;
        private final int mostBlocks;

        Part(
                Driver driver,
                PlanResources resources,
                DeviceInfo device,
                Stream stream,
                KernelOptions options,
                float epsilon) {
            this.options = options;
            kernel = resources.local(
                    resources.load(new KernelCache(CacheFolder.path().resolve("kernels"))
                            .code(
                                    driver.compiler(),
                                    driver.version(),
                                    device.architecture(),
                                    KernelSource.text(),
                                    options.defines())),
                    LocalKernel.FINISH,
                    options);
            launch = resources.launch(stream, options.threads());
            arguments = new KernelArguments(launch.arguments());
            arguments.inputs(List.of(), epsilon);
            mostBlocks = Math.max(1, driver.blocksPerMultiprocessor(kernel.any(), options.threads()))
                    * device.multiprocessors();
        }

        void queue(int tokens, DeviceSpan input, long field, DeviceSpan beside, long resultField, DeviceSpan result) {
            arguments.tensor(KernelArguments.INPUT, input.address());
            arguments.tensor(field, beside.address());
            arguments.tensor(resultField, result.address());
            arguments.call(tokens, 0);
            boolean whole = options.wholePacks()
                    && (input.address() | beside.address() | result.address()) % KernelOptions.PACK_BYTES == 0;
            launch.launch(kernel.of(whole), Math.min(tokens, mostBlocks));
        }
    }

    /** Collective. */
    UnfusedPlan(DeviceCommunicator communicator, Operation operation, DeviceStream stream) {
        if (!operation.residual() || !operation.norm()) {
            throw new UsageException("Unfused: expected an operation with a residual and a norm.");
        }
        this.communicator = communicator;
        this.operation = operation;
        driver = communicator.driver();
        sum = communicator.plan(
                Operation.allReduce(operation.dtype(), operation.hidden(), operation.maxTokens())
                        .withAlgorithm(operation.algorithm()),
                stream);
        DeviceInfo device = communicator.info();
        resources = new PlanResources(driver, device.number());
        boolean done = false;
        communicator.enter();
        try {
            long bytes = operation.maxTokens() * operation.rowBytes();
            sums = new DeviceSpan(device.number(), resources.memory(bytes), bytes);
            Stream own = new Stream(stream.device(), stream.handle());
            add = new Part(driver, resources, device, own, options(true, false), operation.epsilon());
            norm = new Part(driver, resources, device, own, options(false, true), operation.epsilon());
            done = true;
        } finally {
            if (!done) {
                resources.close();
            }
            communicator.exit();
        }
    }

    private KernelOptions options(boolean residual, boolean norm) {
        return new KernelOptions(communicator.worldSize(), operation.dtype(), operation.hidden(), residual, norm);
    }

    @Override
    public Operation operation() {
        return operation;
    }

    @Override
    public DeviceStream stream() {
        return sum.stream();
    }

    @Override
    public boolean exact() {
        return sum.exact();
    }

    @Override
    public Algorithm algorithm(int tokens) {
        return sum.algorithm(tokens);
    }

    @Override
    public long sharedBytes() {
        return sum.sharedBytes();
    }

    @Override
    public HostBuffer input() {
        return sum.input();
    }

    @Override
    public void run(int tokens, Tensors tensors) {
        DeviceSpan residualOut = span("residualOut", tensors.residualOut());
        sum.run(tokens, Tensors.of(span("input", tensors.input())).withReduced(sums));
        communicator.enter();
        try {
            driver.use(sums.device());
            add.queue(
                    tokens,
                    sums,
                    KernelArguments.RESIDUAL,
                    span("residual", tensors.residual()),
                    KernelArguments.RESIDUAL_OUT,
                    residualOut);
            norm.queue(
                    tokens,
                    residualOut,
                    KernelArguments.WEIGHT,
                    span("weight", tensors.weight()),
                    KernelArguments.OUT,
                    span("out", tensors.out()));
        } finally {
            communicator.exit();
        }
    }

    private static DeviceSpan span(String role, @Nullable Buffer buffer) {
        if (buffer instanceof DeviceSpan span) {
            return span;
        }
        throw new UsageException(role + ": an unfused call takes tensors on the device alone.");
    }

    @Override
    public void check() {
        sum.check();
    }

    @Override
    public GpuGraph capture(Runnable calls) {
        return sum.capture(calls);
    }

    @Override
    public void close() {
        try {
            sum.close();
        } finally {
            communicator.enterToClose("a plan");
            try {
                resources.close();
            } finally {
                communicator.exit();
            }
        }
    }
}
