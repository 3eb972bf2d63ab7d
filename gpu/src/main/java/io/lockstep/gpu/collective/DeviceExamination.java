package io.lockstep.gpu.collective;

import io.lockstep.core.DType;
import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import io.lockstep.core.planning.CacheFolder;
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
    private static final int ROWS = 128;
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
        int pairs = 0;
        try {
            for (DeviceInfo from : devices) {
                for (DeviceInfo to : devices) {
                    if (from.number() == to.number()) {
                        continue;
                    }
                    String pair = from.number() + " to " + to.number();
                    if (!driver.canReach(from.number(), to.number())) {
                        refused.add(pair + " is not allowed by the driver");
                        continue;
                    }
                    try (Transfer transfer = new Transfer(from, to)) {
                        long wrong = transfer.wrong();
                        if (wrong > 0) {
                            refused.add(pair + " gives wrong data");
                        }
                        pairs++;
                    }
                }
            }
        } catch (DriverException e) {
            refused.add(String.valueOf(e.getMessage()));
        }
        return refused.isEmpty()
                ? new Readiness.Ready(pairs + " directions tried: " + ROWS * OPTIONS.rowBytes()
                        + " bytes written by one device were right for the other")
                : new Readiness.NotReady("Between devices: " + String.join("; ", refused) + ".");
    }

    /** Memory on one device that another one writes. */
    private final class Transfer implements AutoCloseable {
        private final PlanResources writing;
        private final PlanResources reading;
        private final PeerMemory memory;
        private final PeerMemory reached;
        private final Side writer;
        private final Side reader;
        private final long wanted;
        private final long wrong;

        Transfer(DeviceInfo from, DeviceInfo to) {
            writing = new PlanResources(driver, from.number());
            reading = new PlanResources(driver, to.number());
            boolean done = false;
            try {
                long bytes = ROWS * OPTIONS.rowBytes();
                memory = reading.peerMemory(bytes);
                reached = writing.openPeerMemory(memory);
                writer = new Side(writing, from);
                reader = new Side(reading, to);
                wanted = reading.memory(bytes);
                wrong = reading.memory(Integer.BYTES);
                long threads = (long) to.multiprocessors() * OPTIONS.threads();
                long differences = reading.memory(threads * CheckArguments.DIFFERENCE_BYTES);
                reader.arguments.findings(wrong, differences);
                driver.fill(reader.stream, wrong, (byte) 0, Integer.BYTES);
                driver.fill(reader.stream, differences, (byte) 0, threads * CheckArguments.DIFFERENCE_BYTES);
                driver.fill(reader.stream, memory.address(), (byte) 0, bytes);
                driver.synchronize(reader.stream);
                done = true;
            } finally {
                if (!done) {
                    close();
                }
            }
        }

        /** How many threads have found anything wrong. */
        long wrong() {
            writer.make(reached.address());
            driver.synchronize(writer.stream);
            reader.make(wanted);
            reader.arguments.compare(memory.address(), wanted, ROWS, 0, 0);
            reader.launch(reader.compare);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
                driver.copyToHost(reader.stream, count.address(), wrong, Integer.BYTES);
                driver.synchronize(reader.stream);
                return Integer.toUnsignedLong(count.get(ValueLayout.JAVA_INT, 0));
            }
        }

        @Override
        public void close() {
            writing.close();
            reading.close();
        }
    }

    /** A device with the kernels that it takes. */
    private final class Side {
        private final Stream stream;
        private final Launch launch;
        private final CheckArguments arguments;
        private final LocalKernel make;
        private final LocalKernel compare;
        private final int blocks;

        Side(PlanResources resources, DeviceInfo device) {
            var code = resources.load(new KernelCache(CacheFolder.path().resolve("kernels"))
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
        }

        void make(long to) {
            arguments.make(to, KEY, ROWS);
            launch(make);
        }

        void launch(LocalKernel kernel) {
            driver.use(stream.device());
            launch.launch(kernel.whole(), blocks);
        }
    }
}
