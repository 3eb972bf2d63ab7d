package io.lockstep.gpu.driver;

import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import java.util.List;
import java.util.Optional;

/**
 * The driver of a vendor's GPUs. Work on a device is queued by threads that {@linkplain #use use} it; every method
 * below that takes a device, or something on one, uses it itself unless it says otherwise. All of them throw
 * {@link DriverException} with the driver's own word for what went wrong.
 */
public interface Driver {
    /** {@code cuda} or {@code hip}. */
    String name();

    /** Whether it can be used on this machine, and why not where it cannot. */
    Readiness probe();

    /** The version, for people and for keys of caches. */
    String version();

    /** The devices; none where {@link #probe} says so. */
    List<DeviceInfo> devices();

    /** What compiles for the devices. */
    Compiler compiler();

    /** The vendor's library of collectives, if it was found. */
    default Optional<Collectives> collectives() {
        return Optional.empty();
    }

    /** What the vendor's library of collectives is and where it was found, or why it cannot be used. */
    default Readiness collectivesReadiness() {
        return new Readiness.NotReady("No library of collectives is used with " + name() + ".");
    }

    /** How ranks in processes of their own reach each other's memory on a device, or why they cannot. */
    Readiness processSharing(int device);

    /** Makes a device the one that the calling thread queues work on. Cheap. */
    void use(int device);

    /** Waits for everything on a device. */
    void synchronize(int device);

    // ---- Code ----

    /** Puts code on a device. Its kernels are there when this returns: no later launch has to load them. */
    Code load(int device, byte[] image);

    /** An entry point, or an exception that names it. */
    Kernel kernel(Code code, String entry);

    /** Gives code back; none of its kernels may run. */
    void unload(Code code);

    /** How many blocks of so many threads a multiprocessor holds at once. */
    int blocksPerMultiprocessor(Kernel kernel, int threads);

    /**
     * Prepares launches of kernels that take one parameter by value.
     *
     * @param overlapping whether a kernel may be placed on the device while the one before it still runs; it then waits
     *     for that one itself
     */
    Launch prepare(Stream stream, int threads, int argumentBytes, boolean overlapping);

    // ---- Streams, events, graphs ----

    /** A stream that waits for no other. */
    Stream createStream(int device);

    void destroy(Stream stream);

    /** Waits for everything queued so far. */
    void synchronize(Stream stream);

    /** Whether everything queued so far is done. */
    boolean isIdle(Stream stream);

    Event createEvent(int device);

    void destroy(Event event);

    void record(Event event, Stream stream);

    /** Makes later work of the stream wait for the event. */
    void await(Stream stream, Event event);

    /** The time between two events that have passed, in milliseconds. */
    double milliseconds(Event from, Event to);

    /** What the calling thread queues on the stream from now on is recorded, not run. */
    void beginCapture(Stream stream);

    Graph endCapture(Stream stream);

    void launch(Graph graph, Stream stream);

    void destroy(Graph graph);

    // ---- Memory ----

    long allocate(int device, long bytes);

    /** Gives memory back that no queued work touches any more. Waits for no other work. */
    void free(int device, long address);

    /** Pinned memory of zeros that the host and every device reach. */
    HostMemory allocateHost(int device, long bytes);

    void free(HostMemory memory);

    /** Queues the filling of bytes. */
    void fill(Stream stream, long address, byte value, long bytes);

    /** Queues a copy from memory of the host. It may return before the host's memory is read only if that is pinned. */
    void copyToDevice(Stream stream, long to, long fromHost, long bytes);

    /** Queues a copy to memory of the host, complete once the stream is {@linkplain #synchronize synchronised}. */
    void copyToHost(Stream stream, long toHost, long from, long bytes);

    /** Queues a copy within a device or between two of one process. */
    void copy(Stream stream, long to, long from, long bytes);

    // ---- Memory that other devices reach ----

    /** Whether a device can read and write the memory of another one of this process. */
    boolean canReach(int device, int peer);

    /**
     * Memory on a device that others will reach.
     *
     * @param acrossProcesses whether other processes are among them
     */
    PeerMemory allocatePeerMemory(int device, long bytes, boolean acrossProcesses);

    /**
     * The same memory, reached by another device of this process. It stays until everyone who allocated or opened it
     * has closed it.
     */
    PeerMemory openPeerMemory(int device, PeerMemory memory);

    /**
     * What the death of a process may cost those that have its memory open, in a clause; empty where nothing but the
     * group is lost.
     */
    default Optional<String> riskOfSharing(int device) {
        return Optional.empty();
    }

    /** A file descriptor that stands for the memory; the caller closes it. */
    int exportPeerMemory(PeerMemory memory);

    /** The memory of another process, reached by this device. The descriptor may be closed afterwards. */
    PeerMemory importPeerMemory(int device, int home, int descriptor, long bytes);

    /** Ends one use of it. No kernel of this device may still touch it. */
    void close(PeerMemory memory);
}
