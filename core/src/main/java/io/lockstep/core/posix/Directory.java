package io.lockstep.core.posix;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Opening a directory without following a link, and holding its lock. */
public final class Directory {
    // The two architectures number these flags differently.
    private static final int O_DIRECTORY = Libc.X86 ? 0x10000 : 0x4000;
    private static final int O_NOFOLLOW = Libc.X86 ? 0x20000 : 0x8000;
    private static final int O_CLOEXEC = 0x80000;
    private static final int LOCK_EX = 2;
    private static final int LOCK_NB = 4;
    private static final int LOCK_UN = 8;

    private Directory() {}

    /** The outcome of {@link #open}: a descriptor, or the error why there is none. */
    public sealed interface Opened {
        /** It is open. */
        record Open(Descriptor descriptor) implements Opened {}

        /** It is not; {@code errno} says why ({@link Errno}). */
        record Refused(int errno) implements Opened {}
    }

    /** Opens a directory; a link in its place is refused with ELOOP or ENOTDIR. */
    public static Opened open(String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Errno.STATE);
            int fd = Libc.open(state, arena.allocateFrom(path), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            return fd < 0 ? new Opened.Refused(-fd) : new Opened.Open(new Descriptor(fd));
        }
    }

    /**
     * Takes the exclusive lock of an open directory if it is free. The kernel frees it when its holder dies.
     *
     * @return false if another holds it
     */
    public static boolean tryLock(Descriptor directory) {
        try (Arena arena = Arena.ofConfined()) {
            int result = Libc.flock(arena.allocate(Errno.STATE), directory.number(), LOCK_EX | LOCK_NB);
            if (result == -Errno.EAGAIN) {
                return false;
            }
            Errno.check(result, "flock of the directory where ranks meet");
            return true;
        }
    }

    /** Gives the lock back. */
    public static void unlock(Descriptor directory) {
        try (Arena arena = Arena.ofConfined()) {
            Errno.check(
                    Libc.flock(arena.allocate(Errno.STATE), directory.number(), LOCK_UN),
                    "flock(LOCK_UN) of the directory where ranks meet");
        }
    }

    /** The user that this process acts as. */
    public static int currentUser() {
        try (Arena arena = Arena.ofConfined()) {
            return Libc.geteuid(arena.allocate(Errno.STATE));
        }
    }
}
