package io.lockstep.gpu.collective;

import io.lockstep.core.Buffer;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.HostBuffer;
import io.lockstep.core.UsageException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** One tensor of a call: on the device, or on the host with a copy on the device that the plan makes. */
final class DeviceOperand {
    private final String role;
    private final long field;
    private final boolean written;
    private final int device;
    private @Nullable MemorySegment host;
    private boolean given;
    private long address;
    private long bytes;

    /** Device memory for the copy of a tensor of the host; 0 until one comes. */
    private long scratch;

    /**
     * @param role the name of its component in {@link io.lockstep.core.Tensors}
     * @param field where its address stands in the kernel's arguments
     * @param written whether a call writes it
     */
    DeviceOperand(String role, long field, boolean written, int device) {
        this.role = role;
        this.field = field;
        this.written = written;
        this.device = device;
    }

    String role() {
        return role;
    }

    long field() {
        return field;
    }

    boolean written() {
        return written;
    }

    boolean given() {
        return given;
    }

    /** The memory of the host; null where the tensor lies on the device. */
    @Nullable
    MemorySegment host() {
        return host;
    }

    /** As the kernel gets it: 0 where there is none. */
    long address() {
        return given ? host == null ? address : scratch : 0;
    }

    long bytes() {
        return bytes;
    }

    long scratch() {
        return scratch;
    }

    void scratch(long memory) {
        scratch = memory;
    }

    /** Takes the tensor of the next call, which has so many bytes of elements of so many. */
    void bind(@Nullable Buffer buffer, long needed, int elementBytes) {
        given = buffer != null;
        host = null;
        address = 0;
        bytes = needed;
        switch (buffer) {
            case null -> {}
            case HostBuffer memory -> bindHost(memory.segment(), needed);
            case DeviceSpan span -> bindDevice(span, needed, elementBytes);
        }
    }

    private void bindHost(MemorySegment memory, long needed) {
        requireSize(memory.byteSize(), needed);
        if (written && memory.isReadOnly()) {
            throw new UsageException(role + ": the segment is read-only, and the call writes it.");
        }
        if (!memory.isAccessibleBy(Thread.currentThread())) {
            throw new UsageException(
                    role + ": the segment belongs to another thread; allocate it from a shared or automatic arena.");
        }
        requireAlive(memory);
        host = memory;
    }

    private void bindDevice(DeviceSpan span, long needed, int elementBytes) {
        requireSize(span.bytes(), needed);
        if (span.device() != device) {
            throw new UsageException(role + ": the tensor lies on device " + span.device()
                    + ", and this rank on device " + device + ": copy it there.");
        }
        if (span.address() % elementBytes != 0) {
            throw new UsageException(role + ": the address " + Long.toHexString(span.address())
                    + " is no multiple of an element's " + elementBytes + " bytes.");
        }
        address = span.address();
    }

    private void requireSize(long there, long needed) {
        if (there < needed) {
            throw new UsageException(role + ": the memory holds " + there + " bytes, this call needs " + needed + ".");
        }
    }

    /** The arena of a tensor that was bound for an earlier call may have been closed since. */
    void requireAlive() {
        if (host != null) {
            requireAlive(host);
        }
    }

    private void requireAlive(MemorySegment memory) {
        if (!memory.scope().isAlive()) {
            throw new UsageException(role + ": the arena of the segment is closed.");
        }
    }

    boolean overlaps(DeviceOperand other) {
        if ((host == null) != (other.host == null)) {
            return false;
        }
        if (host == null || other.host == null) {
            return address < other.address + other.bytes && other.address < address + bytes;
        }
        return host.asSlice(0, bytes)
                .asOverlappingSlice(other.host.asSlice(0, other.bytes))
                .isPresent();
    }

    /** Whether two that overlap begin at the same byte. */
    boolean sameStart(DeviceOperand other) {
        return host == null || other.host == null ? address == other.address : host.address() == other.host.address();
    }
}
