package io.lockstep.core.cpu;

import io.lockstep.core.Buffer;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.HostBuffer;
import io.lockstep.core.UsageException;
import io.lockstep.core.posix.RawMemory;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One tensor of a call, as the lanes see it: an address where it lies in native memory, or a segment of the heap, whose
 * rows pass through scratch memory.
 */
final class Operand {
    private final String role;
    private final boolean written;
    private MemorySegment segment = MemorySegment.NULL;
    private boolean given;
    private boolean heap;
    private long address;
    private long bytes;

    /**
     * @param role the name of its component in {@link io.lockstep.core.Tensors}
     * @param written whether a call writes it
     */
    Operand(String role, boolean written) {
        this.role = role;
        this.written = written;
    }

    String role() {
        return role;
    }

    boolean written() {
        return written;
    }

    boolean given() {
        return given;
    }

    boolean heap() {
        return heap;
    }

    /** The first byte in native memory. */
    long address() {
        return address;
    }

    MemorySegment segment() {
        return segment;
    }

    /** Takes the tensor of the next call, which has so many bytes. */
    void bind(@Nullable Buffer buffer, long needed) {
        if (buffer instanceof DeviceSpan span) {
            throw new UsageException(role + ": the tensor lies on device " + span.device()
                    + ", and these ranks are processors: give memory of the host, or join with a backend for GPUs.");
        }
        given = buffer != null;
        if (!(buffer instanceof HostBuffer host)) {
            segment = MemorySegment.NULL;
            return;
        }
        MemorySegment memory = host.segment();
        if (memory.byteSize() < needed) {
            throw new UsageException(
                    role + ": the segment holds " + memory.byteSize() + " bytes, this call needs " + needed + ".");
        }
        if (written && memory.isReadOnly()) {
            throw new UsageException(role + ": the segment is read-only, and the call writes it.");
        }
        if (!memory.isAccessibleBy(Thread.currentThread())) {
            throw new UsageException(
                    role + ": the segment belongs to another thread; allocate it from a shared or automatic arena.");
        }
        requireAlive(memory);
        segment = memory;
        bytes = needed;
        heap = !memory.isNative();
        address = heap ? 0 : memory.address();
    }

    /** The arena of a tensor that was bound for an earlier call may have been closed since. */
    void requireAlive() {
        if (given) {
            requireAlive(segment);
        }
    }

    private void requireAlive(MemorySegment memory) {
        if (!memory.scope().isAlive()) {
            throw new UsageException(role + ": the arena of the segment is closed.");
        }
    }

    /** The bytes that the call uses. */
    long bytes() {
        return bytes;
    }

    boolean overlaps(Operand other) {
        if (heap != other.heap) {
            return false;
        }
        boolean meet = segment.address() < other.segment.address() + other.bytes
                && other.segment.address() < segment.address() + bytes;
        // An address on the heap is an offset in an array: is it the same array?
        return meet && (!heap || segment.asOverlappingSlice(other.segment).isPresent());
    }

    /** Whether two that overlap begin at the same byte. */
    boolean sameStart(Operand other) {
        return segment.address() == other.segment.address();
    }

    /** Where so many bytes from an offset can be read: in place, or copied to scratch. */
    long readable(long offset, long bytes, long scratch) {
        if (!heap) {
            return address + offset;
        }
        MemorySegment.copy(segment, offset, RawMemory.ALL, scratch, bytes);
        return scratch;
    }

    /** Where bytes from an offset can be written: in place, or in scratch until {@link #flush}. */
    long writable(long offset, long scratch) {
        return heap ? scratch : address + offset;
    }

    /** Brings what was written in scratch to where it belongs. */
    void flush(long offset, long bytes, long scratch) {
        if (heap) {
            MemorySegment.copy(RawMemory.ALL, scratch, segment, offset, bytes);
        }
    }
}
