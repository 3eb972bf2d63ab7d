package io.lockstep.core.posix;

import io.lockstep.core.DriverException;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/**
 * The error numbers of Linux (the same on x86-64 and aarch64) and the sentence for each. The raw calls of {@link Libc}
 * return them negated.
 */
public final class Errno {
    public static final int EINTR = 4;
    public static final int ENOENT = 2;
    public static final int EAGAIN = 11;
    public static final int EACCES = 13;
    public static final int EEXIST = 17;
    public static final int ENOTDIR = 20;
    public static final int EINVAL = 22;
    public static final int EPIPE = 32;
    public static final int ENOSYS = 38;
    public static final int ELOOP = 40;
    public static final int EADDRINUSE = 98;
    public static final int ECONNRESET = 104;
    public static final int ETIMEDOUT = 110;
    public static final int ECONNREFUSED = 111;

    private static final int EPERM = 1;
    private static final int ENOMEM = 12;
    private static final int ENFILE = 23;
    static final int EMFILE = 24;
    private static final int EFBIG = 27;
    private static final int ENOSPC = 28;
    static final int EMSGSIZE = 90;

    /** Where a call leaves errno. */
    static final StructLayout STATE = Linker.Option.captureStateLayout();

    private static final long OFFSET = STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private Errno() {}

    /** The result of a call, or errno negated if it failed. */
    static int result(int returned, MemorySegment state) {
        return returned >= 0 ? returned : -of(state);
    }

    /** The result of a call, or errno negated if it failed. */
    static long result(long returned, MemorySegment state) {
        return returned != -1 ? returned : -of(state);
    }

    /** What the last call left in this segment. */
    static int of(MemorySegment state) {
        return state.get(ValueLayout.JAVA_INT, OFFSET);
    }

    /**
     * The result of a call if it is not negative.
     *
     * @param result what a raw call returned
     * @param call what was called, for the message
     * @throws DriverException if the call failed
     */
    static long check(long result, String call) {
        if (result < 0) {
            throw failure(call, (int) -result);
        }
        return result;
    }

    /** The failure of a call: its name, the error's name, and what to do about it where that is known. */
    public static DriverException failure(String call, int errno) {
        String remedy = switch (errno) {
            case EMFILE -> "this process has too many open files: raise its limit (ulimit -n)";
            case ENFILE -> "the machine has too many open files: raise fs.file-max";
            case ENOMEM, ENOSPC -> "the machine is out of memory: free some, or plan less";
            case EFBIG -> "the limit on the size of files is too low: raise it (ulimit -f)";
            case EPERM, EACCES -> "this process may not do it: see what confines it (container, seccomp, LSM)";
            case ENOSYS ->
                "this kernel cannot do it, or a sandbox hides it: use a newer kernel,"
                        + " or ranks that are threads of one JVM";
            case EMSGSIZE -> "the message is larger than a socket takes: raise net.core.wmem_default";
            default -> "";
        };
        return new DriverException(
                call + " failed with " + name(errno) + (remedy.isEmpty() ? "." : ": " + remedy + "."));
    }

    /** The name of an error, such as {@code ENOENT}. */
    public static String name(int errno) {
        return switch (errno) {
            case EPERM -> "EPERM";
            case ENOENT -> "ENOENT";
            case EINTR -> "EINTR";
            case 5 -> "EIO";
            case 9 -> "EBADF";
            case EAGAIN -> "EAGAIN";
            case ENOMEM -> "ENOMEM";
            case EACCES -> "EACCES";
            case 14 -> "EFAULT";
            case 16 -> "EBUSY";
            case EEXIST -> "EEXIST";
            case 19 -> "ENODEV";
            case ENOTDIR -> "ENOTDIR";
            case 21 -> "EISDIR";
            case EINVAL -> "EINVAL";
            case ENFILE -> "ENFILE";
            case EMFILE -> "EMFILE";
            case 26 -> "ETXTBSY";
            case EFBIG -> "EFBIG";
            case ENOSPC -> "ENOSPC";
            case 29 -> "ESPIPE";
            case 30 -> "EROFS";
            case EPIPE -> "EPIPE";
            case 36 -> "ENAMETOOLONG";
            case ENOSYS -> "ENOSYS";
            case ELOOP -> "ELOOP";
            case EMSGSIZE -> "EMSGSIZE";
            case 95 -> "EOPNOTSUPP";
            case 97 -> "EAFNOSUPPORT";
            case EADDRINUSE -> "EADDRINUSE";
            case ECONNRESET -> "ECONNRESET";
            case 106 -> "EISCONN";
            case 107 -> "ENOTCONN";
            case ETIMEDOUT -> "ETIMEDOUT";
            case ECONNREFUSED -> "ECONNREFUSED";
            case 115 -> "EINPROGRESS";
            default -> "error " + errno;
        };
    }
}
