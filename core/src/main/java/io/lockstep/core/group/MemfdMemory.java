package io.lockstep.core.group;

import io.lockstep.core.posix.Descriptor;
import io.lockstep.core.posix.Memfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Shared memory with a descriptor: every rank, process or thread, maps it for itself. */
final class MemfdMemory implements SharedMemory, AutoCloseable {
    private final Descriptor descriptor;
    private final long pageSize = Memfd.pageSize();
    private final MachineMemory machine = MachineMemory.ofThisMachine();

    MemfdMemory(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    @Override
    public long pageSize() {
        return pageSize;
    }

    @Override
    public long size() {
        return Memfd.size(descriptor);
    }

    @Override
    public void grow(long bytes) {
        long size = size();
        Ranges.checkGrowth(size, bytes, pageSize);
        if (bytes > size) {
            machine.requireSize(bytes);
            machine.require(bytes - size, "Shared memory");
            Memfd.resize(descriptor, bytes);
        }
    }

    @Override
    public MemorySegment map(long offset, long bytes, Arena arena) {
        Ranges.check(offset, bytes, size(), pageSize);
        return Memfd.map(descriptor, offset, bytes, arena);
    }

    @Override
    public void commit(long offset, long bytes) {
        Ranges.check(offset, bytes, size(), pageSize);
        machine.require(bytes, "Shared memory");
        Memfd.commit(descriptor, offset, bytes);
    }

    @Override
    public void release(long offset, long bytes) {
        Ranges.check(offset, bytes, size(), pageSize);
        Memfd.punch(descriptor, offset, bytes);
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
