package io.lockstep.gpu.cuda;

import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.driver.PeerMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/**
 * Memory that several devices reach. Within a process it is ordinary memory of one device, reached at the same address
 * by those that have peer access, and counted, so that it goes when the last one is done. Between processes it is a
 * physical allocation that each process maps for itself; the driver keeps it as long as anyone does.
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

    /** Unknown to drivers before CUDA 12.3. */
    private static final int ATTRIBUTE_FABRIC = 128;

    private final CudaDriver driver;

    /** How many have the memory at an address open; guarded by this. */
    private final Map<Long, Integer> open = new HashMap<>();

    CudaPeerMemory(CudaDriver driver) {
        this.driver = driver;
    }

    PeerMemory allocate(int device, long bytes, boolean acrossProcesses) {
        driver.use(device);
        if (!acrossProcesses) {
            long address = Cuda.allocate(bytes);
            synchronized (this) {
                open.put(address, 1);
            }
            return new PeerMemory(device, device, address, bytes, 0);
        }
        requireDescriptors(device);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment properties = arena.allocate(PROPERTIES_BYTES, Long.BYTES);
            properties.set(ValueLayout.JAVA_INT, PROPERTIES_TYPE, TYPE_PINNED);
            properties.set(ValueLayout.JAVA_INT, PROPERTIES_HANDLE_TYPES, HANDLE_DESCRIPTOR);
            properties.set(ValueLayout.JAVA_INT, PROPERTIES_LOCATION_TYPE, LOCATION_DEVICE);
            properties.set(ValueLayout.JAVA_INT, PROPERTIES_LOCATION, driver.ordinal(device));
            long granularity = Cuda.granularity(properties);
            long rounded = (bytes + granularity - 1) / granularity * granularity;
            long handle = Cuda.createMemory(properties, rounded);
            return map(device, device, handle, rounded);
        }
    }

    PeerMemory open(int device, PeerMemory memory) {
        if (memory.handle() != 0) {
            throw new IllegalArgumentException("Memory for other processes is exported and imported.");
        }
        synchronized (this) {
            if (open.computeIfPresent(memory.address(), (address, uses) -> uses + 1) == null) {
                throw new DriverException("CUDA: the memory of device " + memory.home() + " at " + memory.address()
                        + " was freed before device " + device + " opened it.");
            }
        }
        if (device != memory.home()) {
            driver.enablePeerAccess(device, memory.home());
        }
        return new PeerMemory(memory.home(), device, memory.address(), memory.bytes(), 0);
    }

    int export(PeerMemory memory) {
        return Cuda.exportMemory(memory.handle());
    }

    PeerMemory importFrom(int device, int home, int descriptor, long bytes) {
        driver.use(device);
        return map(device, home, Cuda.importMemory(descriptor), bytes);
    }

    void close(PeerMemory memory) {
        if (memory.handle() != 0) {
            driver.use(memory.device());
            Cuda.unmap(memory.address(), memory.bytes());
            Cuda.freeAddresses(memory.address(), memory.bytes());
            Cuda.releaseMemory(memory.handle());
            return;
        }
        boolean last;
        synchronized (this) {
            last = open.merge(memory.address(), -1, Integer::sum) <= 0;
            if (last) {
                open.remove(memory.address());
            }
        }
        if (last) {
            driver.use(memory.home());
            Cuda.free(memory.address());
        }
    }

    private PeerMemory map(int device, int home, long handle, long bytes) {
        long address = 0;
        boolean mapped = false;
        boolean done = false;
        try (Arena arena = Arena.ofConfined()) {
            address = Cuda.reserveAddresses(bytes, 0);
            Cuda.map(address, bytes, handle);
            mapped = true;
            MemorySegment access = arena.allocate(ACCESS_BYTES, Integer.BYTES);
            access.set(ValueLayout.JAVA_INT, ACCESS_LOCATION_TYPE, LOCATION_DEVICE);
            access.set(ValueLayout.JAVA_INT, ACCESS_LOCATION, driver.ordinal(device));
            access.set(ValueLayout.JAVA_INT, ACCESS_FLAGS, READ_WRITE);
            Cuda.setAccess(address, bytes, access);
            done = true;
            return new PeerMemory(home, device, address, bytes, handle);
        } finally {
            if (!done) {
                if (mapped) {
                    Cuda.unmap(address, bytes);
                }
                if (address != 0) {
                    Cuda.freeAddresses(address, bytes);
                }
                Cuda.releaseMemory(handle);
            }
        }
    }

    /** What handles of memory this device has. */
    Readiness processSharing(int device) {
        if (!hasDescriptors(device)) {
            return new Readiness.NotReady(
                    "Device " + device + " has no handles that are file descriptors, only those of"
                            + " cuIpc, which Lockstep does not use: ranks that are threads of one JVM work.");
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

    private boolean hasDescriptors(int device) {
        return Cuda.deviceAttribute(driver.ordinal(device), Cuda.ATTRIBUTE_VIRTUAL_MEMORY) != 0
                && Cuda.deviceAttribute(driver.ordinal(device), Cuda.ATTRIBUTE_POSIX_DESCRIPTORS) != 0;
    }

    private void requireDescriptors(int device) {
        if (!hasDescriptors(device)) {
            throw new DriverException("Device " + device + " cannot share memory between processes by file"
                    + " descriptors: use ranks that are threads of one JVM.");
        }
    }
}
