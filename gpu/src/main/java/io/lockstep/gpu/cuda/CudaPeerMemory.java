package io.lockstep.gpu.cuda;

import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.driver.HandleFile;
import io.lockstep.gpu.driver.OpenMemory;
import io.lockstep.gpu.driver.PeerMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Memory that several devices reach. Within a process it is ordinary memory of one device, reached at the same address
 * by those that have peer access, and counted, so that it goes when the last one is done. Between processes it is a
 * physical allocation that each process maps for itself; the driver keeps it as long as anyone does.
 *
 * <p>Where a device cannot hand out descriptors for such allocations (some virtual machines and containers, Tegra), or
 * {@code LOCKSTEP_CUDA_IPC} is 1, other processes open ordinary memory by a handle of cuIpc, which travels as the
 * content of an anonymous file. If the process that owns it dies, those that have it open may lose their contexts.
 *
 * <pre>
 * CUmemAllocationProp   0 type   4 handle types   8 location type   12 location   16 unused   24 flags, 8 bytes
 * CUmemAccessDesc       0 location type   4 location   8 flags
 * </pre>
 */
final class CudaPeerMemory {
    static final long PROPERTIES_BYTES = 32;
    static final long PROPERTIES_TYPE = 0;
    static final long PROPERTIES_HANDLE_TYPES = 4;
    static final long PROPERTIES_LOCATION_TYPE = 8;
    static final long PROPERTIES_LOCATION = 12;
    static final long ACCESS_BYTES = 12;
    static final long ACCESS_LOCATION_TYPE = 0;
    static final long ACCESS_LOCATION = 4;
    static final long ACCESS_FLAGS = 8;
    static final int TYPE_PINNED = 1;
    static final int LOCATION_DEVICE = 1;
    static final int HANDLE_DESCRIPTOR = 1;
    static final int READ_WRITE = 3;

    private static final String IPC = "lockstep-cuda-ipc";
    private static final String FORCED = "LOCKSTEP_CUDA_IPC";

    /** Unknown to drivers before CUDA 12.3. */
    private static final int ATTRIBUTE_FABRIC = 128;

    // In the place of the driver's handles, which are addresses.
    private static final long OWN_IPC = -1;
    private static final long IMPORTED_IPC = -2;

    private final CudaDriver driver;
    private final OpenMemory open = new OpenMemory("CUDA");

    CudaPeerMemory(CudaDriver driver) {
        this.driver = driver;
    }

    PeerMemory allocate(int device, long bytes, boolean acrossProcesses) {
        driver.use(device);
        if (!acrossProcesses || !exportsDescriptors(device)) {
            long address = CudaMemory.allocate(bytes);
            open.allocated(address);
            return new PeerMemory(device, device, address, bytes, acrossProcesses ? OWN_IPC : 0);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment properties = arena.allocate(PROPERTIES_BYTES, Long.BYTES);
            properties.set(ValueLayout.JAVA_INT, PROPERTIES_TYPE, TYPE_PINNED);
            properties.set(ValueLayout.JAVA_INT, PROPERTIES_HANDLE_TYPES, HANDLE_DESCRIPTOR);
            properties.set(ValueLayout.JAVA_INT, PROPERTIES_LOCATION_TYPE, LOCATION_DEVICE);
            properties.set(ValueLayout.JAVA_INT, PROPERTIES_LOCATION, driver.ordinal(device));
            long granularity = CudaMemory.granularity(properties);
            long rounded = (bytes + granularity - 1) / granularity * granularity;
            long handle = CudaMemory.createMemory(properties, rounded);
            return map(device, device, handle, rounded);
        }
    }

    PeerMemory open(int device, PeerMemory memory) {
        if (memory.handle() != 0) {
            throw new IllegalArgumentException("Memory for other processes is exported and imported.");
        }
        open.opened(device, memory);
        if (device != memory.home()) {
            driver.enablePeerAccess(device, memory.home());
        }
        return new PeerMemory(memory.home(), device, memory.address(), memory.bytes(), 0);
    }

    int export(PeerMemory memory) {
        if (memory.handle() == OWN_IPC) {
            driver.use(memory.home());
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment handle = arena.allocate(CudaMemory.IPC_HANDLE);
                CudaMemory.ipcHandle(handle, memory.address());
                return HandleFile.write(IPC, handle);
            }
        }
        return CudaMemory.exportMemory(memory.handle());
    }

    PeerMemory importFrom(int device, int home, int descriptor, long bytes) {
        driver.use(device);
        // The owner chose: its device may be of another kind.
        if (HandleFile.is(descriptor, IPC)) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment handle = arena.allocate(CudaMemory.IPC_HANDLE);
                HandleFile.read(descriptor, handle);
                return new PeerMemory(home, device, CudaMemory.openIpc(handle), bytes, IMPORTED_IPC);
            }
        }
        return map(device, home, CudaMemory.importMemory(descriptor), bytes);
    }

    void close(PeerMemory memory) {
        if (memory.handle() == IMPORTED_IPC) {
            driver.use(memory.device());
            CudaMemory.closeIpc(memory.address());
            return;
        }
        if (memory.handle() != 0 && memory.handle() != OWN_IPC) {
            driver.use(memory.device());
            CudaMemory.unmap(memory.address(), memory.bytes());
            CudaMemory.freeAddresses(memory.address(), memory.bytes());
            CudaMemory.releaseMemory(memory.handle());
            return;
        }
        if (open.isClosedByLast(memory.address())) {
            driver.use(memory.home());
            CudaMemory.free(memory.address());
        }
    }

    private PeerMemory map(int device, int home, long handle, long bytes) {
        long address = 0;
        boolean mapped = false;
        boolean done = false;
        try (Arena arena = Arena.ofConfined()) {
            address = CudaMemory.reserveAddresses(bytes, 0);
            CudaMemory.map(address, bytes, handle);
            mapped = true;
            MemorySegment access = arena.allocate(ACCESS_BYTES, Integer.BYTES);
            access.set(ValueLayout.JAVA_INT, ACCESS_LOCATION_TYPE, LOCATION_DEVICE);
            access.set(ValueLayout.JAVA_INT, ACCESS_LOCATION, driver.ordinal(device));
            access.set(ValueLayout.JAVA_INT, ACCESS_FLAGS, READ_WRITE);
            CudaMemory.setAccess(address, bytes, access);
            done = true;
            return new PeerMemory(home, device, address, bytes, handle);
        } finally {
            if (!done) {
                if (mapped) {
                    CudaMemory.unmap(address, bytes);
                }
                if (address != 0) {
                    CudaMemory.freeAddresses(address, bytes);
                }
                CudaMemory.releaseMemory(handle);
            }
        }
    }

    /** Whether a device's memory goes to other processes by file descriptors. */
    boolean exportsDescriptors(int device) {
        int ordinal = driver.ordinal(device);
        return exportsDescriptors(
                System.getenv(FORCED),
                Cuda.deviceAttribute(ordinal, Cuda.ATTRIBUTE_VIRTUAL_MEMORY),
                Cuda.deviceAttribute(ordinal, Cuda.ATTRIBUTE_POSIX_DESCRIPTORS));
    }

    static boolean exportsDescriptors(@Nullable String forced, int virtualMemory, int descriptors) {
        return !"1".equals(forced) && virtualMemory != 0 && descriptors != 0;
    }

    /** How memory of this device goes to other processes. */
    Readiness processSharing(int device) {
        if (!exportsDescriptors(device)) {
            return new Readiness.Ready("by handles of cuIpc: a process that dies may cost the others their contexts");
        }
        boolean fabric;
        try {
            fabric = Cuda.deviceAttribute(driver.ordinal(device), ATTRIBUTE_FABRIC) != 0;
        } catch (DriverException older) {
            fabric = false;
        }
        return new Readiness.Ready("virtual memory with handles that are file descriptors"
                + (fabric ? "; fabric handles too, which a single machine does not need" : "; no fabric handles"));
    }
}
