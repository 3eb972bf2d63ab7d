package io.lockstep.gpu.hip;

import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.driver.Code;
import io.lockstep.gpu.driver.Compiler;
import io.lockstep.gpu.driver.DeviceInfo;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.Event;
import io.lockstep.gpu.driver.ForeignCalls;
import io.lockstep.gpu.driver.Graph;
import io.lockstep.gpu.driver.HostMemory;
import io.lockstep.gpu.driver.Kernel;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.PeerMemory;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.inspect.AmdgcnArch;
import io.lockstep.gpu.inspect.CodeObject;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** HIP as a {@link Driver}. */
public final class HipDriver implements Driver {
    private final Readiness readiness;
    private final HipPeerMemory peers = new HipPeerMemory(this);
    private final HipCompiler compiler = new HipCompiler();
    private final List<DeviceInfo> devices;

    public HipDriver() {
        List<DeviceInfo> all = new ArrayList<>();
        Readiness found;
        try {
            found = start();
            if (found instanceof Readiness.Ready) {
                for (int number = 0; number < Hip.deviceCount(); number++) {
                    all.add(describe(number));
                }
            }
        } catch (DriverException e) {
            all.clear();
            found = new Readiness.NotReady(String.valueOf(e.getMessage()));
        }
        readiness = found;
        devices = List.copyOf(all);
    }

    private static Readiness start() {
        String reason = Hip.whyNot();
        if (reason != null) {
            return new Readiness.NotReady(
                    capitalised(reason) + ": install ROCm's HIP runtime, or use another backend.");
        }
        int result = Hip.init();
        int count = result == Hip.SUCCESS ? Hip.deviceCount() : 0;
        if (count == 0) {
            return new Readiness.NotReady("HIP (" + Hip.path() + ") finds no AMD GPU here"
                    + (result == Hip.SUCCESS ? "" : ", hipInit ends with " + Hip.describe(result))
                    + ": see that this process may use /dev/kfd (rocminfo shows the devices).");
        }
        for (int number = 0; number < count; number++) {
            String architecture = KfdTopology.architecture(Hip.devicePciBusId(number));
            if (!AmdgcnArch.isKnown(architecture)) {
                return new Readiness.NotReady(
                        "Device " + number + ", a " + Hip.deviceName(number) + ", is '" + architecture
                                + "', which the kernels are not compiled for: expected one of "
                                + AmdgcnArch.names()
                                + "; HIP_VISIBLE_DEVICES leaves devices out.");
            }
        }
        return new Readiness.Ready(count + (count == 1 ? " device" : " devices") + ", the first a " + Hip.deviceName(0)
                + ", HIP " + version(Hip.runtimeVersion()));
    }

    private static String capitalised(String clause) {
        return Character.toUpperCase(clause.charAt(0)) + clause.substring(1);
    }

    private static String version(int number) {
        return number / 10_000_000 + "." + number / 100_000 % 100 + "." + number % 100_000;
    }

    @Override
    public String name() {
        return "hip";
    }

    @Override
    public Readiness probe() {
        return readiness;
    }

    @Override
    public String version() {
        return "HIP " + version(Hip.runtimeVersion());
    }

    @Override
    public List<DeviceInfo> devices() {
        return devices;
    }

    private static DeviceInfo describe(int number) {
        String bus = Hip.devicePciBusId(number);
        AmdgcnArch arch = AmdgcnArch.of(KfdTopology.architecture(bus));
        int wave = Hip.deviceAttribute(number, Hip.ATTRIBUTE_WARP_SIZE);
        if (wave != arch.wave()) {
            throw new DriverException("HIP: device " + number + " says that a wave has " + wave + " threads, but "
                    + arch.label() + " has " + arch.wave()
                    + ": this HIP numbers its attributes otherwise than HIP 5 to 7.");
        }
        return new DeviceInfo(
                number,
                Hip.deviceName(number),
                arch.label(),
                "GPU-" + bus,
                Hip.deviceAttribute(number, Hip.ATTRIBUTE_MULTIPROCESSORS),
                wave,
                Hip.deviceMemory(number));
    }

    @Override
    public Compiler compiler() {
        return compiler;
    }

    void enablePeerAccess(int device, int peer) {
        if (!canReach(device, peer)) {
            throw new DriverException("Device " + device + " cannot reach the memory of device " + peer
                    + ": the driver allows no peer access between them (rocm-smi --showtopo shows the links).");
        }
        use(device);
        Hip.enablePeerAccess(peer);
    }

    @Override
    public void use(int device) {
        if (device < 0 || device >= devices.size()) {
            throw new DriverException("HIP: there is no device " + device + ", only " + devices.size() + ".");
        }
        Hip.setDevice(device);
    }

    @Override
    public void synchronize(int device) {
        use(device);
        Hip.synchronizeDevice();
    }

    @Override
    public Code load(int device, byte[] image) {
        use(device);
        requireFit(devices.get(device), image);
        return new Code(device, Hip.loadModule(image));
    }

    /** A code object that was made for another architecture would end the process when it is loaded. */
    static void requireFit(DeviceInfo device, byte[] image) {
        String architecture = CodeObject.read(image).architecture();
        if (!architecture.equals(device.architecture())) {
            throw new DriverException("HIP: the code is for " + architecture + ", and device " + device.number()
                    + " is a " + device.architecture() + ".");
        }
    }

    @Override
    public Kernel kernel(Code code, String entry) {
        use(code.device());
        long function = Hip.function(code.handle(), entry);
        return new Kernel(code.device(), entry, function);
    }

    @Override
    public void unload(Code code) {
        use(code.device());
        Hip.unloadModule(code.handle());
    }

    @Override
    public int blocksPerMultiprocessor(Kernel kernel, int threads) {
        use(kernel.device());
        return Hip.blocksPerMultiprocessor(kernel.handle(), threads);
    }

    @Override
    public Launch prepare(Stream stream, int threads, int argumentBytes, boolean overlapping) {
        // A kernel begins when the one before it has ended, always.
        return new HipLaunch(stream, threads, argumentBytes);
    }

    @Override
    public Stream createStream(int device) {
        use(device);
        return new Stream(device, Hip.createStream());
    }

    @Override
    public void destroy(Stream stream) {
        use(stream.device());
        Hip.destroyStream(stream.handle());
    }

    @Override
    public void synchronize(Stream stream) {
        use(stream.device());
        Hip.synchronizeStream(stream.handle());
    }

    @Override
    public boolean isIdle(Stream stream) {
        use(stream.device());
        return Hip.isStreamIdle(stream.handle());
    }

    @Override
    public Event createEvent(int device) {
        use(device);
        return new Event(device, Hip.createEvent());
    }

    @Override
    public void destroy(Event event) {
        use(event.device());
        Hip.destroyEvent(event.handle());
    }

    @Override
    public void record(Event event, Stream stream) {
        use(stream.device());
        Hip.recordEvent(event.handle(), stream.handle());
    }

    @Override
    public void await(Stream stream, Event event) {
        use(stream.device());
        Hip.awaitEvent(stream.handle(), event.handle());
    }

    @Override
    public double milliseconds(Event from, Event to) {
        return Hip.elapsedMilliseconds(from.handle(), to.handle());
    }

    @Override
    public void beginCapture(Stream stream) {
        use(stream.device());
        Hip.beginCapture(stream.handle());
    }

    @Override
    public Graph endCapture(Stream stream) {
        use(stream.device());
        return new Graph(stream.device(), Hip.endCapture(stream.handle()));
    }

    @Override
    public void launch(Graph graph, Stream stream) {
        use(stream.device());
        Hip.launchGraph(graph.handle(), stream.handle());
    }

    @Override
    public void destroy(Graph graph) {
        use(graph.device());
        Hip.destroyGraph(graph.handle());
    }

    @Override
    public long allocate(int device, long bytes) {
        use(device);
        return Hip.allocate(bytes);
    }

    @Override
    public void free(int device, long address) {
        use(device);
        Hip.free(address);
    }

    @Override
    public HostMemory allocateHost(int device, long bytes) {
        use(device);
        long address = Hip.allocateHost(bytes);
        MemorySegment segment = ForeignCalls.memory(address, bytes);
        segment.fill((byte) 0);
        return new HostMemory(segment, Hip.devicePointer(address));
    }

    @Override
    public void free(HostMemory memory) {
        Hip.freeHost(memory.segment().address());
    }

    @Override
    public void fill(Stream stream, long address, byte value, long bytes) {
        use(stream.device());
        Hip.fill(stream.handle(), address, value, bytes);
    }

    @Override
    public void copyToDevice(Stream stream, long to, long fromHost, long bytes) {
        use(stream.device());
        Hip.copyToDevice(stream.handle(), to, fromHost, bytes);
    }

    @Override
    public void copyToHost(Stream stream, long toHost, long from, long bytes) {
        use(stream.device());
        Hip.copyToHost(stream.handle(), toHost, from, bytes);
    }

    @Override
    public void copy(Stream stream, long to, long from, long bytes) {
        use(stream.device());
        Hip.copy(stream.handle(), to, from, bytes);
    }

    @Override
    public Readiness processSharing(int device) {
        return new Readiness.Ready("handles of hipIpc");
    }

    @Override
    public boolean canReach(int device, int peer) {
        return device == peer || Hip.canAccessPeer(device, peer);
    }

    @Override
    public PeerMemory allocatePeerMemory(int device, long bytes, boolean acrossProcesses) {
        return peers.allocate(device, bytes);
    }

    @Override
    public PeerMemory openPeerMemory(int device, PeerMemory memory) {
        return peers.open(device, memory);
    }

    @Override
    public int exportPeerMemory(PeerMemory memory) {
        return peers.export(memory);
    }

    @Override
    public PeerMemory importPeerMemory(int device, int home, int descriptor, long bytes) {
        return peers.importFrom(device, home, descriptor, bytes);
    }

    @Override
    public void close(PeerMemory memory) {
        peers.close(memory);
    }
}
