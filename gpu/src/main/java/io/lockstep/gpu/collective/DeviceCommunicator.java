package io.lockstep.gpu.collective;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.DriverException;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;
import io.lockstep.core.UsageException;
import io.lockstep.core.group.DescriptorSharing;
import io.lockstep.core.group.Membership;
import io.lockstep.core.planning.Agreement;
import io.lockstep.core.planning.Crossover;
import io.lockstep.core.planning.UseGuard;
import io.lockstep.gpu.DeviceStream;
import io.lockstep.gpu.GpuCommunicator;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.driver.DeviceInfo;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelSource;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A rank on a GPU of any vendor. */
final class DeviceCommunicator implements GpuCommunicator {
    private final Membership membership;
    private final Driver driver;
    private final DeviceInfo device;
    private final Agreement agreement;
    private final CallFailures failures;
    private final Planner planner;
    private final DeviceReach reach;
    private final PeerWatch watch;
    private final Stream transfers;
    private final PlanResources resources;
    private final HostTransfer transfer;
    private final SumPlans sums = new SumPlans(this);
    private final UseGuard guard;
    private final List<DevicePlan> open = new ArrayList<>();
    private final Map<DeviceSpan, Boolean> allocated = new HashMap<>();

    DeviceCommunicator(GroupSpec spec, Membership membership, Driver driver, int device) {
        this.membership = membership;
        guard = new UseGuard(membership.rank());
        this.driver = driver;
        this.device = driver.devices().get(device);
        agreement = new Agreement(membership, spec.joinTimeout());
        agreement.requireSame("the backend", driver.name());
        int sharers = DeviceSharing.agree(this.device, membership.rank(), agreement);
        reach = DeviceReach.agree(driver, this.device, membership.rank(), agreement);
        failures = new CallFailures(membership, spec.callTimeout(), risk(device));
        planner = new Planner(spec, membership, driver, this.device, agreement, sharers);
        resources = new PlanResources(driver, device);
        transfers = resources.stream();
        transfer = new HostTransfer(driver, transfers, resources);
        watch = new PeerWatch(membership.rank(), failures::lost);
    }

    /** Threads of one process share a context, and its end. */
    private String risk(int device) {
        return membership instanceof DescriptorSharing
                ? driver.riskOfSharing(device).orElse("")
                : "";
    }

    @Override
    public int rank() {
        return membership.rank();
    }

    @Override
    public int worldSize() {
        return membership.worldSize();
    }

    @Override
    public int device() {
        return device.number();
    }

    Driver driver() {
        return driver;
    }

    DeviceInfo info() {
        return device;
    }

    CallFailures failures() {
        return failures;
    }

    Agreement agreement() {
        return agreement;
    }

    @Override
    public GpuPlan plan(Operation operation) {
        return plan(operation, exchanges(operation.algorithm()), KernelSource.text(), null);
    }

    @Override
    public GpuPlan plan(Operation operation, DeviceStream stream) {
        if (stream.device() != device.number()) {
            throw new UsageException("The stream belongs to device " + stream.device() + ", and rank "
                    + membership.rank() + " is on device " + device.number() + ".");
        }
        return plan(
                operation,
                exchanges(operation.algorithm()),
                KernelSource.text(),
                new Stream(stream.device(), stream.handle()));
    }

    /** None where the devices do not reach one another and the vendor's library sums. */
    private Set<Exchange> exchanges(Algorithm algorithm) {
        if (!reach.everywhere()) {
            reach.require();
            System.getLogger(DeviceCommunicator.class.getName())
                    .log(System.Logger.Level.WARNING, "Rank {0}: {1}", rank(), reach.fallback());
            return EnumSet.noneOf(Exchange.class);
        }
        return switch (algorithm) {
            case AUTO -> EnumSet.of(Exchange.ONE_SHOT_PUSH, Exchange.TWO_SHOT_PUSH);
            case ONE_SHOT -> EnumSet.of(Exchange.ONE_SHOT_PUSH);
            case TWO_SHOT -> EnumSet.of(Exchange.TWO_SHOT_PUSH);
        };
    }

    /** A plan for these exchanges, with kernels of this source. Collective. */
    DevicePlan plan(Operation operation, Set<Exchange> exchanges, String source, @Nullable Stream stream) {
        DevicePlan plan;
        enter();
        try {
            plan = new DevicePlan(this, driver, planner.make(operation, exchanges, source, stream));
            open.add(plan);
            watch.add(plan.report());
        } catch (RuntimeException | Error e) {
            throw failing(e);
        } finally {
            exit();
        }
        if (exchanges.size() > 1) {
            try {
                plan.choose(new Crossover(agreement, rank(), operation, circumstances())
                        .find(plan.layout().oneShotMost(), tokens -> new DeviceTrial(this, plan, tokens)));
            } catch (RuntimeException | Error e) {
                throw failing(e);
            }
        }
        return plan;
    }

    /** What the speed of the algorithms depends on, beside the operation. */
    private String circumstances() {
        return driver.name() + " " + driver.version() + ", " + device.name() + " " + planner.sharing() + " world "
                + worldSize();
    }

    @Override
    public void allReduce(MemorySegment inOut, DType dtype, int elements) {
        sums.allReduce(inOut, dtype, elements);
    }

    @Override
    public DeviceSpan allocate(long bytes) {
        if (bytes < 1) {
            throw new UsageException("Device memory of " + bytes + " bytes: expected at least 1.");
        }
        enter();
        try {
            DeviceSpan span = new DeviceSpan(device.number(), driver.allocate(device.number(), bytes), bytes);
            allocated.put(span, true);
            return span;
        } finally {
            exit();
        }
    }

    @Override
    public void free(DeviceSpan memory) {
        enterToClose("device memory");
        try {
            if (allocated.remove(memory) == null) {
                throw new UsageException("This memory was not allocated here, or is free already: " + memory + ".");
            }
            open.forEach(DevicePlan::finish);
            driver.free(memory.device(), memory.address());
        } finally {
            exit();
        }
    }

    @Override
    public void upload(MemorySegment from, DeviceSpan to) {
        requireFit(from, to);
        enter();
        try {
            transfer.upload(from, to.address(), to.bytes());
            driver.synchronize(transfers);
        } finally {
            exit();
        }
    }

    @Override
    public void download(DeviceSpan from, MemorySegment to) {
        requireFit(to, from);
        enter();
        try {
            transfer.download(from.address(), to, from.bytes());
            driver.synchronize(transfers);
        } finally {
            exit();
        }
    }

    private void requireFit(MemorySegment host, DeviceSpan span) {
        if (host.byteSize() != span.bytes() || span.device() != device.number()) {
            throw new UsageException("A copy between " + host.byteSize() + " bytes of the host and " + span
                    + ": expected as many bytes, on device " + device.number() + ".");
        }
    }

    /** Called by a plan that closes. */
    void planClosed(DevicePlan plan) {
        watch.remove(plan.report());
        open.remove(plan);
    }

    /** Throws if a peer is known to be gone. */
    void requirePeers() {
        String loss = watch.loss();
        if (loss != null) {
            throw failures.loss("Rank " + membership.rank() + ": " + loss);
        }
    }

    /** At the start of every use. */
    void enter() {
        guard.enter();
    }

    /** Before something is given back, be the communicator failed or closed: no call may be using it. */
    void enterToClose(String what) {
        guard.enterToClose(what);
    }

    /** At the end of every use. */
    void exit() {
        guard.exit();
    }

    /** Remembers a failure, unless the caller's arguments alone were wrong. */
    RuntimeException failing(Throwable e) {
        if (e instanceof UsageException usage) {
            return usage;
        }
        RuntimeException reason = guard.fail(e);
        if (e instanceof Error error) {
            throw error;
        }
        return reason;
    }

    @Override
    public void close() {
        enterToClose("the communicator");
        RuntimeException first = null;
        try {
            if (guard.closed()) {
                return;
            }
            guard.close();
            for (DevicePlan plan : open) {
                try {
                    plan.finish();
                } catch (DriverException e) {
                    first = first == null ? e : first;
                }
            }
            // The others hear of it before memory is given back: that waits for every kernel of the device, and one of
            // theirs may be waiting for this rank.
            watch.close();
            membership.close();
            for (DevicePlan plan : List.copyOf(open)) {
                try {
                    plan.release();
                } catch (RuntimeException e) {
                    first = first == null ? e : first;
                }
            }
            try {
                allocated.keySet().forEach(span -> driver.free(span.device(), span.address()));
                resources.close();
            } catch (DriverException e) {
                first = first == null ? e : first;
            }
        } finally {
            exit();
        }
        if (first != null && guard.failure() == null) {
            throw first;
        }
    }
}
