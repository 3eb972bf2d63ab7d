package io.lockstep.core.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The C library, call by call, as Linux on x86-64 and aarch64 has it. Every call takes the segment in which errno is
 * left ({@link Errno#STATE}) and returns its result, or errno negated. A call that a signal interrupted is made again,
 * but for {@code close} (the descriptor is gone), {@code poll} and {@code syscall} (their caller knows how much time is
 * left). What the calls mean together is the business of the classes beside this one.
 */
public final class Libc {
    private static final Links LINKS = Links.ofLibc();

    private static final MethodHandle SOCKET =
            LINKS.function("socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle BIND =
            LINKS.function("bind", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle LISTEN =
            LINKS.function("listen", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle ACCEPT4 =
            LINKS.function("accept4", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
    private static final MethodHandle CONNECT =
            LINKS.function("connect", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle SOCKETPAIR =
            LINKS.function("socketpair", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
    private static final MethodHandle SENDMSG =
            LINKS.function("sendmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle RECVMSG =
            LINKS.function("recvmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle POLL =
            LINKS.function("poll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    private static final MethodHandle SHUTDOWN =
            LINKS.function("shutdown", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle CLOSE = LINKS.function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle GETSOCKOPT = LINKS.function(
            "getsockopt", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
    private static final MethodHandle OPEN =
            LINKS.variadic("open", 2, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle FLOCK =
            LINKS.function("flock", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle FCNTL =
            LINKS.variadic("fcntl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle LSEEK =
            LINKS.function("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
    private static final MethodHandle FTRUNCATE =
            LINKS.function("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle FALLOCATE =
            LINKS.function("fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle MMAP = LINKS.function(
            "mmap", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MUNMAP =
            LINKS.function("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle SCHED_GETAFFINITY =
            LINKS.function("sched_getaffinity", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
    private static final MethodHandle SCHED_SETAFFINITY =
            LINKS.function("sched_setaffinity", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
    private static final MethodHandle SYSCONF = LINKS.function("sysconf", FunctionDescriptor.of(JAVA_LONG, JAVA_INT));
    private static final MethodHandle GETEUID = LINKS.function("geteuid", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle SYSCALL = LINKS.variadic(
            "syscall",
            1,
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final boolean HAS_MEMFD_CREATE = LINKS.has("memfd_create");
    private static final MethodHandle MEMFD_CREATE = HAS_MEMFD_CREATE
            ? LINKS.function("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT))
            : SYSCALL;
    private static final Readiness READINESS = LINKS.readiness();

    /** Whether this is x86-64; otherwise it is aarch64, where some numbers differ. */
    static final boolean X86 = Links.isX86(System.getProperty("os.arch", ""));

    static final long SYS_FUTEX = X86 ? 202 : 98;
    private static final long SYS_MEMFD_CREATE = X86 ? 319 : 279;

    private Libc() {}

    /** Whether this system has what ranks as processes need, and what is missing where it has not. */
    public static Readiness probe() {
        return READINESS;
    }

    /**
     * Does nothing where {@link #probe} says ready.
     *
     * @throws DriverException otherwise, with the reason
     */
    public static void require() {
        if (READINESS instanceof Readiness.NotReady notReady) {
            throw new DriverException(notReady.reason());
        }
    }

    static int socket(MemorySegment state, int domain, int type, int protocol) {
        try {
            int result;
            do {
                result = Errno.result((int) SOCKET.invokeExact(state, domain, type, protocol), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int bind(MemorySegment state, int fd, MemorySegment address, int length) {
        try {
            int result;
            do {
                result = Errno.result((int) BIND.invokeExact(state, fd, address, length), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int listen(MemorySegment state, int fd, int backlog) {
        try {
            int result;
            do {
                result = Errno.result((int) LISTEN.invokeExact(state, fd, backlog), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int accept4(MemorySegment state, int fd, MemorySegment address, MemorySegment length, int flags) {
        try {
            int result;
            do {
                result = Errno.result((int) ACCEPT4.invokeExact(state, fd, address, length, flags), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int connect(MemorySegment state, int fd, MemorySegment address, int length) {
        try {
            int result;
            do {
                result = Errno.result((int) CONNECT.invokeExact(state, fd, address, length), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int socketpair(MemorySegment state, int domain, int type, int protocol, MemorySegment pair) {
        try {
            int result;
            do {
                result = Errno.result((int) SOCKETPAIR.invokeExact(state, domain, type, protocol, pair), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long sendmsg(MemorySegment state, int fd, MemorySegment message, int flags) {
        try {
            long result;
            do {
                result = Errno.result((long) SENDMSG.invokeExact(state, fd, message, flags), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long recvmsg(MemorySegment state, int fd, MemorySegment message, int flags) {
        try {
            long result;
            do {
                result = Errno.result((long) RECVMSG.invokeExact(state, fd, message, flags), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int poll(MemorySegment state, MemorySegment entries, long count, int milliseconds) {
        try {
            return Errno.result((int) POLL.invokeExact(state, entries, count, milliseconds), state);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int shutdown(MemorySegment state, int fd, int how) {
        try {
            int result;
            do {
                result = Errno.result((int) SHUTDOWN.invokeExact(state, fd, how), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int close(MemorySegment state, int fd) {
        try {
            return Errno.result((int) CLOSE.invokeExact(state, fd), state);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int getsockopt(
            MemorySegment state, int fd, int level, int option, MemorySegment value, MemorySegment length) {
        try {
            int result;
            do {
                result = Errno.result((int) GETSOCKOPT.invokeExact(state, fd, level, option, value, length), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int open(MemorySegment state, MemorySegment path, int flags) {
        try {
            int result;
            do {
                result = Errno.result((int) OPEN.invokeExact(state, path, flags), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int flock(MemorySegment state, int fd, int operation) {
        try {
            int result;
            do {
                result = Errno.result((int) FLOCK.invokeExact(state, fd, operation), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int fcntl(MemorySegment state, int fd, int command, int argument) {
        try {
            int result;
            do {
                result = Errno.result((int) FCNTL.invokeExact(state, fd, command, argument), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long lseek(MemorySegment state, int fd, long offset, int whence) {
        try {
            long result;
            do {
                result = Errno.result((long) LSEEK.invokeExact(state, fd, offset, whence), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int ftruncate(MemorySegment state, int fd, long bytes) {
        try {
            int result;
            do {
                result = Errno.result((int) FTRUNCATE.invokeExact(state, fd, bytes), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int fallocate(MemorySegment state, int fd, int mode, long offset, long bytes) {
        try {
            int result;
            do {
                result = Errno.result((int) FALLOCATE.invokeExact(state, fd, mode, offset, bytes), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long mmap(MemorySegment state, long hint, long bytes, int protection, int flags, int fd, long offset) {
        try {
            long result;
            do {
                result =
                        Errno.result((long) MMAP.invokeExact(state, hint, bytes, protection, flags, fd, offset), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int munmap(MemorySegment state, long address, long bytes) {
        try {
            int result;
            do {
                result = Errno.result((int) MUNMAP.invokeExact(state, address, bytes), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int schedGetaffinity(MemorySegment state, int pid, long bytes, MemorySegment mask) {
        try {
            int result;
            do {
                result = Errno.result((int) SCHED_GETAFFINITY.invokeExact(state, pid, bytes, mask), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int schedSetaffinity(MemorySegment state, int pid, long bytes, MemorySegment mask) {
        try {
            int result;
            do {
                result = Errno.result((int) SCHED_SETAFFINITY.invokeExact(state, pid, bytes, mask), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long sysconf(MemorySegment state, int name) {
        try {
            long result;
            do {
                result = Errno.result((long) SYSCONF.invokeExact(state, name), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int geteuid(MemorySegment state) {
        try {
            return (int) GETEUID.invokeExact(state);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long syscall(MemorySegment state, long number, long a, long b, long c, long d, long e, long f) {
        try {
            return Errno.result((long) SYSCALL.invokeExact(state, number, a, b, c, d, e, f), state);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /** By its number where the library is too old to have a function for it. */
    static int memfdCreate(MemorySegment state, MemorySegment name, int flags) {
        try {
            return HAS_MEMFD_CREATE
                    ? Errno.result((int) MEMFD_CREATE.invokeExact(state, name, flags), state)
                    : (int) syscall(state, SYS_MEMFD_CREATE, name.address(), flags, 0, 0, 0, 0);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    private static AssertionError impossible(Throwable thrown) {
        return new AssertionError("A call of libc threw; it is bound wrongly.", thrown);
    }
}
