package io.lockstep.core.group;

import io.lockstep.core.DriverException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The one memory of a group: it has no name, begins empty, only grows, and reads as zeros where nothing was written.
 * All offsets and sizes are multiples of the page size. A range that is mapped, committed or released lies within one
 * step of growth, so that memory without a descriptor can be handed out too.
 */
public interface SharedMemory {
    /** What offsets and sizes are multiples of, in bytes. */
    long pageSize();

    /** The size in bytes that the group's memory has now, whoever made it grow. */
    long size();

    /**
     * Extends the memory to this size; the pages are given when first touched or {@linkplain #commit committed}. Rank 0
     * only, one thread at a time.
     *
     * @throws DriverException if the machine has less memory than is added; it says how much there is and the remedy,
     *     and nothing was changed
     */
    void grow(long bytes);

    /**
     * Maps a range on this rank: the same bytes on every rank. The mapping is there until the arena closes, even after
     * the group does.
     */
    MemorySegment map(long offset, long bytes, Arena arena);

    /**
     * Gives a range its pages now, so that touching them cannot fail.
     *
     * @throws DriverException if the machine has less memory than that; it says how much there is and the remedy, and
     *     no page was given
     */
    void commit(long offset, long bytes);

    /** Gives the pages of a range back to the machine; it reads as zeros then. */
    void release(long offset, long bytes);
}
