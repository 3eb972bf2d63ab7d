package io.lockstep.core.posix;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Anonymous memory that processes can share: it has a descriptor and no name. */
public final class Memfd {
    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int MFD_NOEXEC_SEAL = 8;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_SEAL_SEAL = 1;
    private static final int F_SEAL_SHRINK = 2;
    private static final int SEEK_END = 2;
    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int FALLOC_FL_PUNCH_HOLE = 2;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final int SC_PAGESIZE = 30;

    private Memfd() {}

    /** Memory of no size yet. It is sealed against shrinking, so that no rank can pull a page from under another. */
    public static Descriptor create(String label) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Errno.STATE);
            MemorySegment name = arena.allocateFrom(label);
            int fd = Libc.memfdCreate(state, name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
            if (fd == -Errno.EINVAL) {
                // Kernels before 6.3 do not know memory that can never be executed.
                fd = Libc.memfdCreate(state, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
            }
            Errno.check(fd, "memfd_create");
            Descriptor memory = new Descriptor(fd);
            int sealed = Libc.fcntl(state, fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL);
            if (sealed < 0) {
                memory.close();
                throw Errno.failure("fcntl(F_ADD_SEALS)", -sealed);
            }
            return memory;
        }
    }

    /** The size in bytes now. */
    public static long size(Descriptor memory) {
        try (Arena arena = Arena.ofConfined()) {
            return Errno.check(Libc.lseek(arena.allocate(Errno.STATE), memory.number(), 0, SEEK_END), "lseek");
        }
    }

    /** Makes it this large. Pages are given when they are first touched or {@link #commit committed}. */
    public static void resize(Descriptor memory, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            Errno.check(
                    Libc.ftruncate(arena.allocate(Errno.STATE), memory.number(), bytes),
                    "ftruncate of shared memory to " + bytes + " bytes");
        }
    }

    /** Gives the range its pages now, so that touching it can not fail later. */
    public static void commit(Descriptor memory, long offset, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            Errno.check(
                    Libc.fallocate(arena.allocate(Errno.STATE), memory.number(), FALLOC_FL_KEEP_SIZE, offset, bytes),
                    "fallocate of " + bytes + " bytes of shared memory");
        }
    }

    /** Takes the pages of the range back; it reads as zeros then. */
    public static void punch(Descriptor memory, long offset, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            Errno.check(
                    Libc.fallocate(
                            arena.allocate(Errno.STATE),
                            memory.number(),
                            FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
                            offset,
                            bytes),
                    "fallocate(FALLOC_FL_PUNCH_HOLE) of " + bytes + " bytes of shared memory");
        }
    }

    /** Maps a range that begins at a page and lies within the size, for reading and writing, until the arena closes. */
    @SuppressWarnings("restricted")
    public static MemorySegment map(Descriptor memory, long offset, long bytes, Arena lifetime) {
        try (Arena arena = Arena.ofConfined()) {
            long address = Errno.check(
                    Libc.mmap(
                            arena.allocate(Errno.STATE),
                            0,
                            bytes,
                            PROT_READ_WRITE,
                            MAP_SHARED,
                            memory.number(),
                            offset),
                    "mmap of " + bytes + " bytes of shared memory");
            return MemorySegment.ofAddress(address)
                    .reinterpret(bytes, lifetime, mapped -> unmap(mapped.address(), bytes));
        }
    }

    /** The size of a page in bytes. */
    public static long pageSize() {
        try (Arena arena = Arena.ofConfined()) {
            return Errno.check(Libc.sysconf(arena.allocate(Errno.STATE), SC_PAGESIZE), "sysconf(_SC_PAGESIZE)");
        }
    }

    private static void unmap(long address, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            Errno.check(Libc.munmap(arena.allocate(Errno.STATE), address, bytes), "munmap");
        }
    }
}
