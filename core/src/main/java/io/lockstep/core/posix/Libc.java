package io.lockstep.core.posix;

import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The C library, call by call, as Linux on x86-64 and aarch64 has it. Every call takes the segment in which errno is
 * left ({@link Errno#STATE}) and returns its result, or errno negated. A call that a signal interrupted is made again,
 * but for {@code close} (the descriptor is gone), {@code poll} and {@code syscall} (their caller knows how much time is
 * left). What the calls mean together is the business of the classes beside this one.
 *
 * <p>All segments of one call are of the arena of its state segment, which the call keeps open.
 */
public final class Libc {
    private static final Links LINKS = Links.ofLibc();

    private static final MethodHandle SOCKET = LINKS.function("socket", 3);
    private static final MethodHandle BIND = LINKS.function("bind", 3);
    private static final MethodHandle LISTEN = LINKS.function("listen", 2);
    private static final MethodHandle ACCEPT4 = LINKS.function("accept4", 4);
    private static final MethodHandle CONNECT = LINKS.function("connect", 3);
    private static final MethodHandle SOCKETPAIR = LINKS.function("socketpair", 4);
    private static final MethodHandle SENDMSG = LINKS.function("sendmsg", 3);
    private static final MethodHandle RECVMSG = LINKS.function("recvmsg", 3);
    private static final MethodHandle POLL = LINKS.function("poll", 3);
    private static final MethodHandle SHUTDOWN = LINKS.function("shutdown", 2);
    private static final MethodHandle CLOSE = LINKS.function("close", 1);
    private static final MethodHandle GETSOCKOPT = LINKS.function("getsockopt", 5);
    private static final MethodHandle OPEN = LINKS.function("open", 2);
    private static final MethodHandle FLOCK = LINKS.function("flock", 2);
    private static final MethodHandle FCNTL = LINKS.function("fcntl", 3);
    private static final MethodHandle LSEEK = LINKS.function("lseek", 3);
    private static final MethodHandle FTRUNCATE = LINKS.function("ftruncate", 2);
    private static final MethodHandle FALLOCATE = LINKS.function("fallocate", 4);
    private static final MethodHandle MMAP = LINKS.function("mmap", 6);
    private static final MethodHandle MUNMAP = LINKS.function("munmap", 2);
    private static final MethodHandle SCHED_GETAFFINITY = LINKS.function("sched_getaffinity", 3);
    private static final MethodHandle SCHED_SETAFFINITY = LINKS.function("sched_setaffinity", 3);
    private static final MethodHandle SYSCONF = LINKS.function("sysconf", 1);
    private static final MethodHandle GETEUID = LINKS.function("geteuid", 0);
    private static final MethodHandle SYSCALL = LINKS.function("syscall", 7);
    private static final boolean HAS_MEMFD_CREATE = LINKS.has("memfd_create");
    private static final MethodHandle MEMFD_CREATE = HAS_MEMFD_CREATE ? LINKS.function("memfd_create", 2) : SYSCALL;
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
                result = Errno.result(
                        (int) (long) SOCKET.invokeExact(state, (long) domain, (long) type, (long) protocol), state);
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
                result = Errno.result(
                        (int) (long) BIND.invokeExact(state, (long) fd, address.address(), (long) length), state);
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
                result = Errno.result((int) (long) LISTEN.invokeExact(state, (long) fd, (long) backlog), state);
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
                result = Errno.result(
                        (int) (long) ACCEPT4.invokeExact(
                                state, (long) fd, address.address(), length.address(), (long) flags),
                        state);
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
                result = Errno.result(
                        (int) (long) CONNECT.invokeExact(state, (long) fd, address.address(), (long) length), state);
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
                result = Errno.result(
                        (int) (long) SOCKETPAIR.invokeExact(
                                state, (long) domain, (long) type, (long) protocol, pair.address()),
                        state);
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
                result = Errno.result(
                        (long) SENDMSG.invokeExact(state, (long) fd, message.address(), (long) flags), state);
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
                result = Errno.result(
                        (long) RECVMSG.invokeExact(state, (long) fd, message.address(), (long) flags), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int poll(MemorySegment state, MemorySegment entries, long count, int milliseconds) {
        try {
            return Errno.result(
                    (int) (long) POLL.invokeExact(state, entries.address(), count, (long) milliseconds), state);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int shutdown(MemorySegment state, int fd, int how) {
        try {
            int result;
            do {
                result = Errno.result((int) (long) SHUTDOWN.invokeExact(state, (long) fd, (long) how), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int close(MemorySegment state, int fd) {
        try {
            return Errno.result((int) (long) CLOSE.invokeExact(state, (long) fd), state);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int getsockopt(
            MemorySegment state, int fd, int level, int option, MemorySegment value, MemorySegment length) {
        try {
            int result;
            do {
                result = Errno.result(
                        (int) (long) GETSOCKOPT.invokeExact(
                                state, (long) fd, (long) level, (long) option, value.address(), length.address()),
                        state);
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
                result = Errno.result((int) (long) OPEN.invokeExact(state, path.address(), (long) flags), state);
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
                result = Errno.result((int) (long) FLOCK.invokeExact(state, (long) fd, (long) operation), state);
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
                result = Errno.result(
                        (int) (long) FCNTL.invokeExact(state, (long) fd, (long) command, (long) argument), state);
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
                result = Errno.result((long) LSEEK.invokeExact(state, (long) fd, offset, (long) whence), state);
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
                result = Errno.result((int) (long) FTRUNCATE.invokeExact(state, (long) fd, bytes), state);
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
                result = Errno.result(
                        (int) (long) FALLOCATE.invokeExact(state, (long) fd, (long) mode, offset, bytes), state);
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
                result = Errno.result(
                        (long) MMAP.invokeExact(state, hint, bytes, (long) protection, (long) flags, (long) fd, offset),
                        state);
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
                result = Errno.result((int) (long) MUNMAP.invokeExact(state, address, bytes), state);
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
                result = Errno.result(
                        (int) (long) SCHED_GETAFFINITY.invokeExact(state, (long) pid, bytes, mask.address()), state);
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
                result = Errno.result(
                        (int) (long) SCHED_SETAFFINITY.invokeExact(state, (long) pid, bytes, mask.address()), state);
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
                result = Errno.result((long) SYSCONF.invokeExact(state, (long) name), state);
            } while (result == -Errno.EINTR);
            return result;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int geteuid(MemorySegment state) {
        try {
            return (int) (long) GETEUID.invokeExact(state);
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
                    ? Errno.result((int) (long) MEMFD_CREATE.invokeExact(state, name.address(), (long) flags), state)
                    : (int) syscall(state, SYS_MEMFD_CREATE, name.address(), flags, 0, 0, 0, 0);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    private static AssertionError impossible(Throwable thrown) {
        return new AssertionError("A call of libc threw; it is bound wrongly.", thrown);
    }
}
