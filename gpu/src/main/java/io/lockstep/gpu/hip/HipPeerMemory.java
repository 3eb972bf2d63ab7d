package io.lockstep.gpu.hip;

import io.lockstep.core.posix.Descriptor;
import io.lockstep.core.posix.Memfd;
import io.lockstep.gpu.driver.OpenMemory;
import io.lockstep.gpu.driver.PeerMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory that several devices reach: uncached, so that a peer neither keeps a copy of it nor holds back what it writes.
 * Within a process it is counted, so that it goes when the last one is done. Another process opens it by HIP's handle
 * of 64 bytes, which travels as the content of an anonymous file.
 */
final class HipPeerMemory {
    /** A smaller block that is uncached cannot be exported unless it is whole pages. */
    static final long GRANULARITY = 2 << 20;

    private static final long OWN = 1;
    private static final long IMPORTED = 2;

    private final HipDriver driver;
    private final OpenMemory open = new OpenMemory("HIP");

    HipPeerMemory(HipDriver driver) {
        this.driver = driver;
    }

    static long rounded(long bytes) {
        return (bytes + GRANULARITY - 1) / GRANULARITY * GRANULARITY;
    }

    PeerMemory allocate(int device, long bytes) {
        driver.use(device);
        long rounded = rounded(bytes);
        long address = Hip.allocateUncached(rounded);
        open.allocated(address);
        return new PeerMemory(device, device, address, rounded, OWN);
    }

    PeerMemory open(int device, PeerMemory memory) {
        open.opened(device, memory);
        if (device != memory.home()) {
            driver.enablePeerAccess(device, memory.home());
        }
        return new PeerMemory(memory.home(), device, memory.address(), memory.bytes(), OWN);
    }

    int export(PeerMemory memory) {
        driver.use(memory.home());
        Descriptor file = Memfd.create("lockstep-hip");
        try (Arena arena = Arena.ofConfined()) {
            long bytes = Hip.IPC_HANDLE.byteSize();
            Memfd.resize(file, bytes);
            Hip.exportMemory(memory.address(), Memfd.map(file, 0, bytes, arena));
            return file.number();
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    PeerMemory importFrom(int device, int home, int descriptor, long bytes) {
        driver.use(device);
        try (Arena arena = Arena.ofConfined()) {
            long handleBytes = Hip.IPC_HANDLE.byteSize();
            // The descriptor stays the caller's.
            MemorySegment shared = Memfd.map(new Descriptor(descriptor), 0, handleBytes, arena);
            MemorySegment handle = arena.allocate(Hip.IPC_HANDLE);
            handle.copyFrom(shared);
            return new PeerMemory(home, device, Hip.importMemory(handle), rounded(bytes), IMPORTED);
        }
    }

    void close(PeerMemory memory) {
        if (memory.handle() == IMPORTED) {
            driver.use(memory.device());
            Hip.closeImported(memory.address());
            return;
        }
        if (open.isClosedByLast(memory.address())) {
            driver.use(memory.home());
            Hip.free(memory.address());
        }
    }
}
