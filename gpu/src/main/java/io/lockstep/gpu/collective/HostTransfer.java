package io.lockstep.gpu.collective;

import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.HostMemory;
import io.lockstep.gpu.driver.Stream;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Copies between the host and a device. Memory of the Java heap, which no driver can read, passes through pinned
 * memory.
 */
final class HostTransfer {
    private static final long STAGING_BYTES = 4L << 20;

    private final Driver driver;
    private final Stream stream;
    private final PlanResources resources;
    private @Nullable HostMemory staging;

    HostTransfer(Driver driver, Stream stream, PlanResources resources) {
        this.driver = driver;
        this.stream = stream;
        this.resources = resources;
    }

    /** Queues it; memory of the heap has been read when this returns. */
    void upload(MemorySegment from, long to, long bytes) {
        if (from.isNative()) {
            driver.copyToDevice(stream, to, from.address(), bytes);
            return;
        }
        HostMemory pinned = staging();
        for (long done = 0; done < bytes; done += STAGING_BYTES) {
            long part = Math.min(STAGING_BYTES, bytes - done);
            MemorySegment.copy(from, done, pinned.segment(), 0, part);
            driver.copyToDevice(stream, to + done, pinned.segment().address(), part);
            driver.synchronize(stream);
        }
    }

    /** Queues it for native memory, and does it for memory of the heap. */
    void download(long from, MemorySegment to, long bytes) {
        if (to.isNative()) {
            driver.copyToHost(stream, to.address(), from, bytes);
            return;
        }
        HostMemory pinned = staging();
        for (long done = 0; done < bytes; done += STAGING_BYTES) {
            long part = Math.min(STAGING_BYTES, bytes - done);
            driver.copyToHost(stream, pinned.segment().address(), from + done, part);
            driver.synchronize(stream);
            MemorySegment.copy(pinned.segment(), 0, to, done, part);
        }
    }

    private HostMemory staging() {
        HostMemory pinned = staging;
        if (pinned == null) {
            pinned = resources.pinned(STAGING_BYTES);
            staging = pinned;
        }
        return pinned;
    }
}
