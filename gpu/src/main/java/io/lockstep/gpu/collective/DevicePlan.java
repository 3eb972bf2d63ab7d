package io.lockstep.gpu.collective;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.HostBuffer;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.UsageException;
import io.lockstep.core.planning.Choice;
import io.lockstep.gpu.DeviceStream;
import io.lockstep.gpu.GpuGraph;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.Graph;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.kernel.Exchange;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A plan on one GPU. */
final class DevicePlan implements GpuPlan {
    private final DeviceCommunicator communicator;
    private final Driver driver;
    private final PlanSetup setup;
    private final Operation operation;
    private final DeviceOperands operands;
    private final KernelArguments arguments;
    private final Launch launch;
    private final Stream stream;
    private final CallReport report;
    private final HostTransfer transfer;
    private final List<CapturedCalls> graphs = new ArrayList<>();
    /** How every call is exchanged, where there is no choice; the vendor's library is closest to a two-shot. */
    private final @Nullable Exchange only;

    private boolean capturing;
    private boolean surfaced;
    private boolean closed;

    /** From so many tokens on two-shot is taken, where the choice is free. */
    private Choice choice = Choice.ONE_SHOT;

    DevicePlan(DeviceCommunicator communicator, Driver driver, PlanSetup setup) {
        this.communicator = communicator;
        this.driver = driver;
        this.setup = setup;
        operation = setup.operation();
        operands = new DeviceOperands(operation, setup.options(), setup.stream().device());
        only = switch (setup.exchanges().size()) {
            case 0 -> Exchange.TWO_SHOT_PULL;
            case 1 -> setup.exchanges().iterator().next();
            default -> null;
        };
        launch = setup.launch();
        arguments = new KernelArguments(launch.arguments());
        stream = setup.stream();
        report = setup.report();
        transfer = new HostTransfer(driver, stream, setup.resources());
    }

    int id() {
        return setup.id();
    }

    CallReport report() {
        return report;
    }

    RegionLayout layout() {
        return setup.layout();
    }

    /** Queues the filling of memory. */
    void fill(DeviceSpan memory, byte value) {
        communicator.enter();
        try {
            driver.use(stream.device());
            driver.fill(stream, memory.address(), value, memory.bytes());
        } finally {
            communicator.exit();
        }
    }

    void choose(Choice measured) {
        choice = measured;
    }

    @Override
    public Operation operation() {
        return operation;
    }

    @Override
    public DeviceStream stream() {
        return new DeviceStream(stream.device(), stream.handle());
    }

    @Override
    public Algorithm algorithm(int tokens) {
        return exchange(tokens).twoShot() ? Algorithm.TWO_SHOT : Algorithm.ONE_SHOT;
    }

    /** How a call of so many tokens is exchanged. */
    Exchange exchange(int tokens) {
        if (only != null) {
            return only;
        }
        return tokens <= setup.layout().oneShotMost() && choice.of(tokens) == Algorithm.ONE_SHOT
                ? Exchange.ONE_SHOT_PUSH
                : Exchange.TWO_SHOT_PUSH;
    }

    @Override
    public boolean exact() {
        return setup.library() == null;
    }

    @Override
    public long sharedBytes() {
        return setup.library() != null ? 0 : setup.layout().bytes() * communicator.worldSize();
    }

    @Override
    public HostBuffer input() {
        throw new UsageException(
                "A plan on a GPU lends no memory of the host: give an input, on the device where you" + " can.");
    }

    @Override
    public void run(int tokens, Tensors tensors) {
        run(tokens, tensors, exchange(tokens));
    }

    void run(int tokens, Tensors tensors, Exchange exchange) {
        communicator.enter();
        try {
            requireOpen();
            requirePeers();
            driver.use(stream.device());
            if (operands.bind(tokens, tensors)) {
                place();
            }
            if (operands.onHost()) {
                runOnHost(tokens, exchange);
            } else {
                queue(tokens, exchange);
            }
        } catch (RuntimeException | Error e) {
            throw communicator.failing(e);
        } finally {
            communicator.exit();
        }
    }

    private void place() {
        if (operands.onHost()) {
            if (capturing) {
                throw new UsageException("A call that is captured has a tensor on the host: capture calls whose tensors"
                        + " all lie on the device.");
            }
            for (DeviceOperand operand : operands.all()) {
                if (operand.host() != null && operand.scratch() == 0) {
                    boolean row = operand == operands.weight;
                    operand.scratch(setup.resources()
                            .memory((row ? 1 : operation.maxTokens())
                                    * setup.options().rowBytes()));
                }
            }
        }
        operands.settle();
        for (DeviceOperand operand : operands.all()) {
            arguments.tensor(operand.field(), operand.address());
        }
    }

    private void runOnHost(int tokens, Exchange exchange) {
        for (DeviceOperand operand : operands.all()) {
            if (operand.host() != null && !operand.written()) {
                transfer.upload(operand.host(), operand.address(), operand.bytes());
            }
        }
        queue(tokens, exchange);
        driver.synchronize(stream);
        surface();
        for (DeviceOperand operand : operands.all()) {
            if (operand.host() != null && operand.written()) {
                transfer.download(operand.address(), operand.host(), operand.bytes());
            }
        }
        driver.synchronize(stream);
    }

    /** Allocates nothing, waits for nothing. */
    private void queue(int tokens, Exchange exchange) {
        LibraryRoute library = setup.library();
        if (library != null) {
            library.queue(tokens, operation, operands, arguments, setup);
            return;
        }
        int carriers = Geometry.carriers(exchange, tokens, communicator.worldSize(), setup.mostCarriers());
        arguments.call(tokens, carriers);
        launch.launch(setup.resources().kernel(exchange, operands.whole()), carriers + Geometry.spares(carriers));
    }

    @Override
    public void check() {
        communicator.enter();
        try {
            requireOpen();
            driver.synchronize(stream);
            surface();
        } catch (RuntimeException | Error e) {
            throw communicator.failing(e);
        } finally {
            communicator.exit();
        }
    }

    /** Waits for what is queued; what failed there shows at the next call. */
    void finish() {
        driver.synchronize(stream);
    }

    /** Throws what a kernel has reported. */
    private void surface() {
        if (report.what() != CallReport.NOTHING) {
            surfaced = true;
            throw communicator.failures().of(report, setup.id(), operation);
        }
    }

    /** Before anything is queued; calls that have ended are right, though a peer may have left since. */
    private void requirePeers() {
        surface();
        communicator.requirePeers();
    }

    @Override
    public GpuGraph capture(Runnable calls) {
        communicator.enter();
        try {
            requireOpen();
            driver.beginCapture(stream);
            capturing = true;
        } catch (RuntimeException | Error e) {
            throw communicator.failing(e);
        } finally {
            communicator.exit();
        }
        Graph graph = null;
        try {
            calls.run();
        } finally {
            capturing = false;
            graph = driver.endCapture(stream);
        }
        CapturedCalls captured = new CapturedCalls(graph);
        graphs.add(captured);
        return captured;
    }

    /** A graph of this plan's calls. */
    private final class CapturedCalls implements GpuGraph {
        private final Graph graph;
        private boolean gone;

        CapturedCalls(Graph graph) {
            this.graph = graph;
        }

        @Override
        public void launch() {
            communicator.enter();
            try {
                requireOpen();
                if (gone) {
                    throw new UsageException("The captured calls are closed.");
                }
                requirePeers();
                driver.launch(graph, stream);
            } catch (RuntimeException | Error e) {
                throw communicator.failing(e);
            } finally {
                communicator.exit();
            }
        }

        @Override
        public void close() {
            communicator.enterToClose("a graph");
            try {
                if (!closed) {
                    driver.synchronize(stream);
                    release();
                    graphs.remove(this);
                }
            } finally {
                communicator.exit();
            }
        }

        private void release() {
            if (!gone) {
                gone = true;
                driver.destroy(graph);
            }
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new UsageException("The plan is closed.");
        }
    }

    @Override
    public void close() {
        communicator.enterToClose("a plan");
        try {
            release();
        } finally {
            communicator.exit();
        }
    }

    /** Gives everything back, within a use of the communicator, and tells of a failure that nobody has seen yet. */
    void release() {
        if (closed) {
            return;
        }
        closed = true;
        RuntimeException failure = null;
        try {
            driver.synchronize(stream);
            if (!surfaced && report.what() != CallReport.NOTHING) {
                failure = communicator.failures().of(report, setup.id(), operation);
            }
            graphs.forEach(CapturedCalls::release);
        } catch (RuntimeException e) {
            failure = e;
        }
        communicator.planClosed(this);
        try {
            setup.resources().close();
        } catch (RuntimeException e) {
            failure = failure == null ? e : failure;
        }
        if (failure != null) {
            throw failure;
        }
    }
}
