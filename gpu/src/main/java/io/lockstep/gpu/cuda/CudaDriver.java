package io.lockstep.gpu.cuda;

import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.driver.Code;
import io.lockstep.gpu.driver.Collectives;
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
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** CUDA as a {@link Driver}. It keeps the primary context of each device that was used until the process ends. */
public final class CudaDriver implements Driver {
    /** Of {@code griddepcontrol}, which a kernel needs to overlap with the one before it. */
    private static final int FIRST_OVERLAPPING_ARCHITECTURE = 90;

    /**
     * A device in use.
     *
     * @param memoryStream orders allocations and frees: those without a stream wait until the whole device is idle, and
     *     where ranks share a device a kernel of another one may be waiting for this rank
     */
    private record Device(int ordinal, long context, DeviceInfo info, long memoryStream) {}

    private final Readiness readiness;
    private final CudaPeerMemory peers = new CudaPeerMemory(this);
    private final CudaCompiler compiler = new CudaCompiler();

    /** By number; an entry is filled when its device is first used. */
    private final @Nullable Device[] devices;

    public CudaDriver() {
        readiness = start();
        devices = new Device[readiness instanceof Readiness.Ready ? Cuda.deviceCount() : 0];
    }

    private static Readiness start() {
        String reason = Cuda.whyNot();
        if (reason != null) {
            return new Readiness.NotReady(capitalised(reason) + ": install an NVIDIA driver, or use another backend.");
        }
        int result = Cuda.init();
        if (result != Cuda.SUCCESS) {
            return new Readiness.NotReady("cuInit failed with " + Cuda.describe(result)
                    + ": see that this process may use the NVIDIA devices (nvidia-smi shows them).");
        }
        int count = Cuda.deviceCount();
        if (count == 0) {
            return new Readiness.NotReady("The NVIDIA driver knows no device: see CUDA_VISIBLE_DEVICES.");
        }
        return new Readiness.Ready(count + (count == 1 ? " device" : " devices") + ", the first a "
                + Cuda.deviceName(Cuda.device(0)) + ", driver for CUDA " + version(Cuda.driverVersion()));
    }

    private static String capitalised(String clause) {
        return Character.toUpperCase(clause.charAt(0)) + clause.substring(1);
    }

    private static String version(int number) {
        return number / 1000 + "." + number % 1000 / 10;
    }

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public Readiness probe() {
        return readiness;
    }

    @Override
    public String version() {
        return "CUDA " + version(Cuda.driverVersion());
    }

    @Override
    public List<DeviceInfo> devices() {
        List<DeviceInfo> all = new ArrayList<>();
        for (int number = 0; number < devices.length; number++) {
            all.add(describe(number, Cuda.device(number)));
        }
        return all;
    }

    private static DeviceInfo describe(int number, int ordinal) {
        int major = Cuda.deviceAttribute(ordinal, Cuda.ATTRIBUTE_CAPABILITY_MAJOR);
        int minor = Cuda.deviceAttribute(ordinal, Cuda.ATTRIBUTE_CAPABILITY_MINOR);
        return new DeviceInfo(
                number,
                Cuda.deviceName(ordinal),
                "sm_" + (10 * major + minor),
                "GPU-" + HexFormat.of().formatHex(Cuda.deviceUuid(ordinal)),
                Cuda.deviceAttribute(ordinal, Cuda.ATTRIBUTE_MULTIPROCESSORS),
                Cuda.deviceAttribute(ordinal, Cuda.ATTRIBUTE_WARP_SIZE),
                Cuda.deviceMemory(ordinal));
    }

    @Override
    public Compiler compiler() {
        return compiler;
    }

    @Override
    public Optional<Collectives> collectives() {
        return Nccl.whyNot() == null ? Optional.of(new Nccl(this)) : Optional.empty();
    }

    @Override
    public Readiness collectivesReadiness() {
        String reason = Nccl.whyNot();
        return reason == null
                ? new Readiness.Ready(new Nccl(this).identity() + ", " + Nccl.path())
                : new Readiness.NotReady(capitalised(reason)
                        + ": install the package libnccl2 or the Python package nvidia-nccl, or name its file in"
                        + " LOCKSTEP_NCCL.");
    }

    @Override
    public Readiness processSharing(int device) {
        return peers.processSharing(device);
    }

    private Device device(int number) {
        if (number < 0 || number >= devices.length) {
            throw new DriverException("CUDA: there is no device " + number + ", only " + devices.length + ".");
        }
        Device device = devices[number];
        return device == null ? open(number) : device;
    }

    private synchronized Device open(int number) {
        Device device = devices[number];
        if (device == null) {
            int ordinal = Cuda.device(number);
            long context = Cuda.retainPrimaryContext(ordinal);
            Cuda.setCurrent(context);
            device = new Device(ordinal, context, describe(number, ordinal), Cuda.createStream());
            devices[number] = device;
        }
        return device;
    }

    int ordinal(int device) {
        return device(device).ordinal();
    }

    void enablePeerAccess(int device, int peer) {
        if (!canReach(device, peer)) {
            throw new DriverException("Device " + device + " cannot reach the memory of device " + peer
                    + ": the driver allows no peer access between them (nvidia-smi topo -p2p rw shows it).");
        }
        use(device);
        Cuda.enablePeerAccess(device(peer).context());
    }

    @Override
    public void use(int device) {
        Cuda.setCurrent(device(device).context());
    }

    @Override
    public void synchronize(int device) {
        use(device);
        Cuda.synchronizeContext();
    }

    @Override
    public Code load(int device, byte[] image) {
        use(device);
        return new Code(device, Cuda.loadModule(image));
    }

    @Override
    public Kernel kernel(Code code, String entry) {
        use(code.device());
        long function = Cuda.function(code.handle(), entry);
        Cuda.loadFunction(function);
        return new Kernel(code.device(), entry, function);
    }

    @Override
    public void unload(Code code) {
        use(code.device());
        Cuda.unloadModule(code.handle());
    }

    @Override
    public int blocksPerMultiprocessor(Kernel kernel, int threads) {
        use(kernel.device());
        return Cuda.blocksPerMultiprocessor(kernel.handle(), threads);
    }

    @Override
    public Launch prepare(Stream stream, int threads, int argumentBytes, boolean overlapping) {
        int architecture =
                Integer.parseInt(device(stream.device()).info().architecture().substring("sm_".length()));
        return new CudaLaunch(
                stream, threads, argumentBytes, overlapping && architecture >= FIRST_OVERLAPPING_ARCHITECTURE);
    }

    @Override
    public Stream createStream(int device) {
        use(device);
        return new Stream(device, Cuda.createStream());
    }

    @Override
    public void destroy(Stream stream) {
        use(stream.device());
        Cuda.destroyStream(stream.handle());
    }

    @Override
    public void synchronize(Stream stream) {
        use(stream.device());
        Cuda.synchronizeStream(stream.handle());
    }

    @Override
    public boolean isIdle(Stream stream) {
        use(stream.device());
        return Cuda.isStreamIdle(stream.handle());
    }

    @Override
    public Event createEvent(int device) {
        use(device);
        return new Event(device, Cuda.createEvent());
    }

    @Override
    public void destroy(Event event) {
        use(event.device());
        Cuda.destroyEvent(event.handle());
    }

    @Override
    public void record(Event event, Stream stream) {
        use(stream.device());
        Cuda.recordEvent(event.handle(), stream.handle());
    }

    @Override
    public void await(Stream stream, Event event) {
        use(stream.device());
        Cuda.awaitEvent(stream.handle(), event.handle());
    }

    @Override
    public double milliseconds(Event from, Event to) {
        return Cuda.elapsedMilliseconds(from.handle(), to.handle());
    }

    @Override
    public void beginCapture(Stream stream) {
        use(stream.device());
        Cuda.beginCapture(stream.handle());
    }

    @Override
    public Graph endCapture(Stream stream) {
        use(stream.device());
        return new Graph(stream.device(), Cuda.endCapture(stream.handle()));
    }

    @Override
    public void launch(Graph graph, Stream stream) {
        use(stream.device());
        Cuda.launchGraph(graph.handle(), stream.handle());
    }

    @Override
    public void destroy(Graph graph) {
        use(graph.device());
        Cuda.destroyGraph(graph.handle());
    }

    @Override
    public long allocate(int device, long bytes) {
        use(device);
        long stream = device(device).memoryStream();
        long address = CudaMemory.allocate(bytes, stream);
        Cuda.synchronizeStream(stream);
        return address;
    }

    @Override
    public void free(int device, long address) {
        use(device);
        CudaMemory.free(address, device(device).memoryStream());
    }

    @Override
    public HostMemory allocateHost(int device, long bytes) {
        use(device);
        long address = CudaMemory.allocateHost(bytes);
        MemorySegment segment = ForeignCalls.memory(address, bytes);
        segment.fill((byte) 0);
        return new HostMemory(segment, CudaMemory.devicePointer(address));
    }

    @Override
    public void free(HostMemory memory) {
        CudaMemory.freeHost(memory.segment().address());
    }

    @Override
    public void fill(Stream stream, long address, byte value, long bytes) {
        use(stream.device());
        CudaMemory.fill(stream.handle(), address, value, bytes);
    }

    @Override
    public void copyToDevice(Stream stream, long to, long fromHost, long bytes) {
        use(stream.device());
        CudaMemory.copyToDevice(stream.handle(), to, fromHost, bytes);
    }

    @Override
    public void copyToHost(Stream stream, long toHost, long from, long bytes) {
        use(stream.device());
        CudaMemory.copyToHost(stream.handle(), toHost, from, bytes);
    }

    @Override
    public void copy(Stream stream, long to, long from, long bytes) {
        use(stream.device());
        CudaMemory.copy(stream.handle(), to, from, bytes);
    }

    @Override
    public boolean canReach(int device, int peer) {
        return device == peer || Cuda.canAccessPeer(ordinal(device), ordinal(peer));
    }

    @Override
    public PeerMemory allocatePeerMemory(int device, long bytes, boolean acrossProcesses) {
        return peers.allocate(device, bytes, acrossProcesses);
    }

    @Override
    public Optional<String> riskOfSharing(int device) {
        return peers.exportsDescriptors(device)
                ? Optional.empty()
                : Optional.of("processes share the memory of device " + device
                        + " by cuIpc, so a process that dies may cost the others their CUDA context: if a new group"
                        + " fails, start them anew");
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
