package io.lockstep.gpu.host;

import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.Tools;
import io.lockstep.gpu.driver.Code;
import io.lockstep.gpu.driver.Collectives;
import io.lockstep.gpu.driver.Compiler;
import io.lockstep.gpu.driver.DeviceInfo;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.Event;
import io.lockstep.gpu.driver.Graph;
import io.lockstep.gpu.driver.HostMemory;
import io.lockstep.gpu.driver.Kernel;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.PeerMemory;
import io.lockstep.gpu.driver.Stream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Eight devices, each a thread that does what is queued there, one thing after the other. */
class HostDriver implements Driver {
    /** The time that a call is said to take. */
    interface Costs {
        /** In nanoseconds, of a kernel by its entry point. */
        long of(String kernel, int tokens);
    }

    private static final long TOKENS_OF_ARGUMENTS = 160;
    private static final long GAP_NANOS = 10_000_000;

    private static final int DEVICES = 8;
    private static final int MULTIPROCESSORS = 3;
    private static final int BLOCKS = 2;
    private static final int THREADS = 1024;

    /** What the engine copies for every kernel, however little of it is the kernel's. */
    private static final int MOST_ARGUMENT_BYTES = 184;

    private record Library(SymbolLookup symbols, MethodHandle launch, Arena arena) {}

    private final List<ExecutorService> devices = IntStream.range(0, DEVICES)
            .mapToObj(number -> Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("device " + number).factory()))
            .toList();
    private final AtomicLong handles = new AtomicLong();
    private final Map<Long, Library> libraries = new ConcurrentHashMap<>();
    private final Map<Long, Library> kernels = new ConcurrentHashMap<>();
    private final Map<Long, Arena> memory = new ConcurrentHashMap<>();
    private final Map<Long, Integer> open = new ConcurrentHashMap<>();
    private final Map<Long, Long> events = new ConcurrentHashMap<>();
    private final Map<Long, List<Runnable>> graphs = new ConcurrentHashMap<>();
    private final Map<Long, List<Runnable>> capturing = new ConcurrentHashMap<>();
    private final Compiler compiler;
    private final String version;
    private final boolean reach;
    private final @Nullable HostLibrary library;
    private final @Nullable Costs costs;

    /** By device: what its kernels are said to have taken so far. Each is written by the device alone. */
    private final long[] clocks = new long[DEVICES];

    /** Whether the host waited for the device: the next kernel then begins after a gap. */
    private final boolean[] rested = new boolean[DEVICES];

    private HostDriver(
            UnaryOperator<String> change,
            String version,
            boolean reach,
            @Nullable HostLibrary library,
            @Nullable Costs costs) {
        compiler = new HostCompiler(change);
        this.version = version;
        this.reach = reach;
        this.library = library;
        this.costs = costs;
    }

    /** Devices that reach one another. */
    HostDriver() {
        this(UnaryOperator.identity());
    }

    /** With kernels that are changed before they are compiled. */
    HostDriver(UnaryOperator<String> change) {
        this(change, "1", true, null, null);
    }

    /** Devices that do not reach one another, with a library of collectives or without. */
    static HostDriver withoutPeerAccess(@Nullable HostLibrary library) {
        return new HostDriver(UnaryOperator.identity(), "1", false, library, null);
    }

    /**
     * Devices whose events tell these times, and a long one more whenever the host has kept the device waiting. What
     * was measured on others of this kind is not taken for theirs.
     */
    static HostDriver withCosts(Costs costs) {
        return new HostDriver(UnaryOperator.identity(), "1 " + UUID.randomUUID(), true, null, costs);
    }

    /** How much memory is handed out and not given back. */
    int allocations() {
        return memory.size();
    }

    @Override
    public String name() {
        return "host";
    }

    @Override
    public Readiness probe() {
        return Tools.find("g++").isPresent()
                ? new Readiness.Ready(DEVICES + " devices that are threads")
                : new Readiness.NotReady("g++ is not on the PATH.");
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public Optional<Collectives> collectives() {
        return Optional.ofNullable(library);
    }

    @Override
    public List<DeviceInfo> devices() {
        return IntStream.range(0, DEVICES)
                .mapToObj(number ->
                        new DeviceInfo(number, "thread", "host", "thread-" + number, MULTIPROCESSORS, 32, 1L << 30))
                .toList();
    }

    @Override
    public Compiler compiler() {
        return compiler;
    }

    @Override
    public void use(int device) {
        Objects.checkIndex(device, DEVICES);
    }

    @Override
    public void synchronize(int device) {
        wait(device, () -> rested[device] = true);
    }

    private void wait(int device, Runnable work) {
        try {
            devices.get(device).submit(work).get();
        } catch (ExecutionException e) {
            throw new DriverException("The device failed: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DriverException("Interrupted.", e);
        }
    }

    /** Puts work behind what is queued on a device, or into the graph that is being captured. */
    void queue(Stream stream, Runnable work) {
        List<Runnable> captured = capturing.get(stream.handle());
        if (captured != null) {
            captured.add(work);
        } else {
            devices.get(stream.device()).execute(work);
        }
    }

    @Override
    @SuppressWarnings("restricted")
    public Code load(int device, byte[] image) {
        try {
            Path file = Files.write(Files.createTempFile("lockstep-kernels", ".so"), image);
            Arena arena = Arena.ofShared();
            SymbolLookup symbols = SymbolLookup.libraryLookup(file, arena);
            Files.delete(file);
            MethodHandle launch = Linker.nativeLinker()
                    .downcallHandle(
                            symbols.findOrThrow("live_launch"),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.ADDRESS,
                                    ValueLayout.JAVA_INT));
            long handle = handles.incrementAndGet();
            libraries.put(handle, new Library(symbols, launch, arena));
            return new Code(device, handle);
        } catch (IOException e) {
            throw new DriverException("The code cannot be loaded.", e);
        }
    }

    @Override
    public Kernel kernel(Code code, String entry) {
        Library library = Objects.requireNonNull(libraries.get(code.handle()));
        long address = library.symbols().findOrThrow(entry).address();
        kernels.put(address, library);
        return new Kernel(code.device(), entry, address);
    }

    @Override
    public void unload(Code code) {
        synchronize(code.device());
        Objects.requireNonNull(libraries.remove(code.handle())).arena().close();
    }

    @Override
    public int blocksPerMultiprocessor(Kernel kernel, int threads) {
        return threads > THREADS ? 0 : BLOCKS;
    }

    @Override
    public Launch prepare(Stream stream, int threads, int argumentBytes, boolean overlapping) {
        Arena arena = Arena.ofShared();
        MemorySegment arguments = arena.allocate(argumentBytes, 16);
        return new Launch() {
            @Override
            public MemorySegment arguments() {
                return arguments;
            }

            @Override
            public void launch(Kernel kernel, int blocks) {
                // What stands there now is what the kernel gets.
                MemorySegment own = Arena.ofAuto()
                        .allocate(Math.max(argumentBytes, MOST_ARGUMENT_BYTES), 16)
                        .copyFrom(arguments);
                Library library = Objects.requireNonNull(kernels.get(kernel.handle()));
                queue(stream, () -> {
                    if (costs != null) {
                        pass(
                                stream.device(),
                                costs.of(kernel.name(), own.get(ValueLayout.JAVA_INT, TOKENS_OF_ARGUMENTS)));
                        return;
                    }
                    try {
                        if ((int) library.launch().invokeExact(kernel.handle(), own, blocks) != 0) {
                            throw new IllegalStateException("There is no memory for the stacks of the lanes.");
                        }
                    } catch (Throwable t) {
                        throw new IllegalStateException(t);
                    }
                });
            }

            @Override
            public void close() {
                arena.close();
            }
        };
    }

    @Override
    public Stream createStream(int device) {
        return new Stream(device, handles.incrementAndGet());
    }

    @Override
    public void destroy(Stream stream) {
        synchronize(stream.device());
    }

    @Override
    public void synchronize(Stream stream) {
        if (capturing.containsKey(stream.handle())) {
            throw new DriverException("The stream is being captured.");
        }
        synchronize(stream.device());
    }

    @Override
    public boolean isIdle(Stream stream) {
        synchronize(stream.device());
        return true;
    }

    @Override
    public Event createEvent(int device) {
        return new Event(device, handles.incrementAndGet());
    }

    @Override
    public void destroy(Event event) {
        events.remove(event.handle());
    }

    @Override
    public void record(Event event, Stream stream) {
        queue(stream, () -> events.put(event.handle(), costs == null ? System.nanoTime() : clocks[stream.device()]));
    }

    private void pass(int device, long nanos) {
        clocks[device] += nanos + (rested[device] ? GAP_NANOS : 0);
        rested[device] = false;
    }

    @Override
    public void await(Stream stream, Event event) {
        synchronize(event.device());
    }

    @Override
    public double milliseconds(Event from, Event to) {
        return (Objects.requireNonNull(events.get(to.handle())) - Objects.requireNonNull(events.get(from.handle())))
                * 1e-6;
    }

    @Override
    public void beginCapture(Stream stream) {
        capturing.put(stream.handle(), new ArrayList<>());
    }

    @Override
    public Graph endCapture(Stream stream) {
        long handle = handles.incrementAndGet();
        graphs.put(handle, Objects.requireNonNull(capturing.remove(stream.handle())));
        return new Graph(stream.device(), handle);
    }

    @Override
    public void launch(Graph graph, Stream stream) {
        Objects.requireNonNull(graphs.get(graph.handle())).forEach(work -> queue(stream, work));
    }

    @Override
    public void destroy(Graph graph) {
        graphs.remove(graph.handle());
    }

    @Override
    public long allocate(int device, long bytes) {
        Arena arena = Arena.ofShared();
        MemorySegment segment = arena.allocate(bytes, 256);
        segment.fill((byte) 0x5A);
        memory.put(segment.address(), arena);
        return segment.address();
    }

    @Override
    public void free(int device, long address) {
        Objects.requireNonNull(memory.remove(address), "freed twice").close();
    }

    @Override
    public HostMemory allocateHost(int device, long bytes) {
        long address = allocate(device, bytes);
        MemorySegment segment = at(address, bytes);
        segment.fill((byte) 0);
        return new HostMemory(segment, address);
    }

    @Override
    public void free(HostMemory host) {
        free(0, host.address());
    }

    @SuppressWarnings("restricted")
    private static MemorySegment at(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    @Override
    public void fill(Stream stream, long address, byte value, long bytes) {
        queue(stream, () -> at(address, bytes).fill(value));
    }

    @Override
    public void copyToDevice(Stream stream, long to, long fromHost, long bytes) {
        // As with memory that is not pinned: read when this returns.
        copy(stream, to, fromHost, bytes);
        synchronize(stream);
    }

    @Override
    public void copyToHost(Stream stream, long toHost, long from, long bytes) {
        copy(stream, toHost, from, bytes);
    }

    @Override
    public void copy(Stream stream, long to, long from, long bytes) {
        queue(stream, () -> at(to, bytes).copyFrom(at(from, bytes)));
    }

    @Override
    public Readiness processSharing(int device) {
        return new Readiness.NotReady("These devices are of one process.");
    }

    @Override
    public boolean canReach(int device, int peer) {
        return reach || device == peer;
    }

    @Override
    public PeerMemory allocatePeerMemory(int device, long bytes, boolean acrossProcesses) {
        long address = allocate(device, bytes);
        open.put(address, 1);
        return new PeerMemory(device, device, address, bytes, 0);
    }

    @Override
    public PeerMemory openPeerMemory(int device, PeerMemory peer) {
        if (!canReach(device, peer.home())) {
            throw new DriverException("Device " + device + " cannot reach device " + peer.home() + ".");
        }
        Objects.requireNonNull(open.computeIfPresent(peer.address(), (address, uses) -> uses + 1), "freed already");
        return new PeerMemory(peer.home(), device, peer.address(), peer.bytes(), 0);
    }

    @Override
    public int exportPeerMemory(PeerMemory peer) {
        throw new DriverException("These devices are of one process.");
    }

    @Override
    public PeerMemory importPeerMemory(int device, int home, int descriptor, long bytes) {
        throw new DriverException("These devices are of one process.");
    }

    @Override
    public void close(PeerMemory peer) {
        if (open.computeIfPresent(peer.address(), (address, uses) -> uses == 1 ? null : uses - 1) == null) {
            free(peer.home(), peer.address());
        }
    }
}
