package io.lockstep.core.group;

import io.lockstep.core.DriverException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;

/**
 * Memory shared by the threads of one JVM where the system has none with a descriptor. Each step of growth is a segment
 * of its own, which stays until nobody can reach it.
 */
final class ArenaMemory implements SharedMemory {
    private static final long PAGE = 4096;

    private final TreeMap<Long, MemorySegment> steps = new TreeMap<>();
    private long size;

    @Override
    public long pageSize() {
        return PAGE;
    }

    @Override
    public synchronized long size() {
        return size;
    }

    @Override
    public synchronized void grow(long bytes) {
        Ranges.checkGrowth(size, bytes, PAGE);
        if (bytes > size) {
            try {
                // Automatic, since the mappings may outlive the group.
                steps.put(size, Arena.ofAuto().allocate(bytes - size, PAGE));
            } catch (OutOfMemoryError e) {
                throw new DriverException(
                        "Shared memory needs " + MachineMemory.mebibytes(bytes - size)
                                + ", and this machine does not give it: free memory, or plan fewer tokens.",
                        e);
            }
            size = bytes;
        }
    }

    @Override
    public synchronized MemorySegment map(long offset, long bytes, Arena arena) {
        Ranges.check(offset, bytes, size, PAGE);
        Map.Entry<Long, MemorySegment> step = steps.floorEntry(offset);
        if (step == null || offset + bytes > step.getKey() + step.getValue().byteSize()) {
            throw new IllegalArgumentException(
                    "Shared memory: the range of " + bytes + " bytes from " + offset + " crosses a step of growth.");
        }
        return step.getValue().asSlice(offset - step.getKey(), bytes);
    }

    /** All of it is there since it grew. */
    @Override
    public void commit(long offset, long bytes) {
        Ranges.check(offset, bytes, size(), PAGE);
    }

    @Override
    public void release(long offset, long bytes) {
        map(offset, bytes, Arena.ofAuto()).fill((byte) 0);
    }
}
