package io.lockstep.gpu.collective;

import io.lockstep.core.DType;
import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import io.lockstep.core.planning.CacheFolder;
import io.lockstep.gpu.driver.Code;
import io.lockstep.gpu.driver.Compiler;
import io.lockstep.gpu.driver.DeviceInfo;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.PeerMemory;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.kernel.KernelCache;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Looks at what ranks on the devices of a driver need, and tries what can be tried. */
public final class DeviceExamination {
    private static final KernelOptions OPTIONS = new KernelOptions(2, DType.BF16, 4096, true, true);
    private static final int ROWS = 32;
    private static final long KEY = 0x4C6F636B73746570L;
    private static final long BYTES_PER_GIB = 1L << 30;

    /**
     * One thing that was looked at.
     *
     * @param subject what, in a word or two
     * @param readiness what was found, or what is missing
     */
    public record Examined(String subject, Readiness readiness) {}

    private final Driver driver;
    private final List<DeviceInfo> devices;

    private DeviceExamination(Driver driver) {
        this.driver = driver;
        devices = driver.devices();
    }

    /** What there is, for a driver that is ready. */
    public static List<Examined> of(Driver driver) {
        DeviceExamination examination = new DeviceExamination(driver);
        List<Examined> all = new ArrayList<>();
        all.add(new Examined("devices", examination.list()));
        Readiness compiler = examination.compiler();
        all.add(new Examined("compiler", compiler));
        all.add(new Examined(
                "peer access",
                compiler instanceof Readiness.Ready
                        ? examination.peers()
                        : new Readiness.NotReady("Not tried: that takes a kernel, and there is no compiler.")));
        all.add(new Examined("between processes", driver.processSharing(0)));
        all.add(new Examined("collectives", driver.collectivesReadiness()));
        return all;
    }

    private Readiness list() {
        return new Readiness.Ready(driver.version() + "; "
                + devices.stream()
                        .map(device -> device.number() + ": " + device.name() + " (" + device.architecture() + ", "
                                + device.multiprocessors() + " multiprocessors, " + device.memoryBytes() / BYTES_PER_GIB
                                + " GiB)")
                        .collect(Collectors.joining("; ")));
    }

    private Readiness compiler() {
        try {
            Compiler compiler = driver.compiler();
            String place = compiler.place();
            return new Readiness.Ready(compiler.identity() + (place.isEmpty() ? "" : ", " + place));
        } catch (DriverException absent) {
            return new Readiness.NotReady(String.valueOf(absent.getMessage()));
        }
    }

    /** A device writes into the memory of another one, which then compares what it finds with what it makes itself. */
    private Readiness peers() {
        if (devices.size() < 2) {
            return new Readiness.NotReady(
                    "There is one device: ranks can only share it, with LOCKSTEP_SHARE_DEVICES=1.");
        }
        List<String> refused = new ArrayList<>();
        List<Side> sides = new ArrayList<>();
        int pairs = 0;
        try {
            for (DeviceInfo device : devices) {
                sides.add(new Side(device));
            }
            for (Side from : sides) {
                for (Side to : sides) {
                    if (from == to) {
                        continue;
                    }
                    String pair = from.device() + " to " + to.device();
                    pairs++;
                    if (!driver.canReach(from.device(), to.device())) {
                        refused.add(pair + " is not allowed by the driver");
                    } else if (!to.isWrittenBy(from, KEY + pairs)) {
                        refused.add(pair + " gives wrong data");
                    }
                }
            }
        } catch (DriverException e) {
            refused.add(String.valueOf(e.getMessage()));
        } finally {
            sides.forEach(Side::close);
        }
        return refused.isEmpty()
                ? new Readiness.Ready(pairs + " directions tried: " + ROWS * OPTIONS.rowBytes()
                        + " bytes written by one device were right for the other")
                : new Readiness.NotReady("Between devices: " + String.join("; ", refused) + ".");
    }

    /** A device with the kernels that it takes, and memory that others write. */
    private final class Side implements AutoCloseable {
        private final PlanResources resources;
        private final Stream stream;
        private final Launch launch;
        private final CheckArguments arguments;
        private final LocalKernel make;
        private final LocalKernel compare;
        private final int blocks;
        private final PeerMemory memory;
        private final long wanted;
        private final long wrong;

        Side(DeviceInfo device) {
            resources = new PlanResources(driver, device.number());
            boolean done = false;
            try {
                Code code = resources.load(new KernelCache(CacheFolder.path().resolve("kernels"))
                        .code(
                                driver.compiler(),
                                driver.version(),
                                device.architecture(),
                                KernelSource.check(),
                                OPTIONS.defines()));
                make = resources.local(code, "ls_make", OPTIONS);
                compare = resources.local(code, "ls_compare", OPTIONS);
                stream = resources.stream();
                launch = resources.launch(stream, OPTIONS.threads(), CheckArguments.BYTES, false);
                arguments = new CheckArguments(launch.arguments());
                blocks = device.multiprocessors();
                memory = resources.peerMemory(ROWS * OPTIONS.rowBytes());
                wanted = resources.memory(ROWS * OPTIONS.rowBytes());
                wrong = resources.memory(Integer.BYTES);
                long differences = (long) blocks * OPTIONS.threads() * CheckArguments.DIFFERENCE_BYTES;
                long threads = resources.memory(differences);
                driver.fill(stream, threads, (byte) 0, differences);
                arguments.findings(wrong, threads);
                done = true;
            } finally {
                if (!done) {
                    resources.close();
                }
            }
        }

        int device() {
            return stream.device();
        }

        /** Whether all that a kernel of the other device writes into this one's memory is here. */
        boolean isWrittenBy(Side other, long key) {
            driver.fill(stream, memory.address(), (byte) 0, ROWS * OPTIONS.rowBytes());
            driver.fill(stream, wrong, (byte) 0, Integer.BYTES);
            driver.synchronize(stream);
            PeerMemory reached = driver.openPeerMemory(other.device(), memory);
            try {
                other.make(reached.address(), key);
                driver.synchronize(other.stream);
            } finally {
                driver.close(reached);
            }
            make(wanted, key);
            arguments.compare(memory.address(), wanted, ROWS, 0, 0);
            launch(compare);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
                driver.copyToHost(stream, count.address(), wrong, Integer.BYTES);
                driver.synchronize(stream);
                return count.get(ValueLayout.JAVA_INT, 0) == 0;
            }
        }

        private void make(long to, long key) {
            arguments.make(to, key, ROWS);
            launch(make);
        }

        private void launch(LocalKernel kernel) {
            driver.use(device());
            launch.launch(kernel.whole(), blocks);
        }

        @Override
        public void close() {
            resources.close();
        }
    }
}
