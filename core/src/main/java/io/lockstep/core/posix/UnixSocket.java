package io.lockstep.core.posix;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Unix sockets that keep the bounds of packets (SOCK_SEQPACKET), never wait, and carry descriptors. When a process
 * ends, however it ends, the kernel tells the other end of each of its sockets at once.
 */
public final class UnixSocket {
    private static final int AF_UNIX = 1;
    private static final int SOCK_SEQPACKET = 5;
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int SOCK_CLOEXEC = 0x80000;
    static final int SOL_SOCKET = 1;
    private static final int SO_PEERCRED = 17;
    private static final int SHUT_RDWR = 2;
    static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int BACKLOG = 64;

    /** The most bytes of a path that an address holds, its closing zero left out. */
    private static final int MOST_PATH = 107;

    private UnixSocket() {}

    /** Who is at the other end, as the kernel knows it; the process is 0 where it lives in another namespace. */
    public record Peer(int process, int user) {}

    /** What became of a connection attempt. */
    public sealed interface Connection {
        /** There is one. */
        record Connected(Descriptor socket) implements Connection {}

        /** Nobody listens there now: ENOENT, ECONNREFUSED (a socket that its owner left behind) or EAGAIN (a crowd). */
        record Absent(int errno) implements Connection {}
    }

    /**
     * Binds the path and listens there.
     *
     * @return null if the path is taken
     */
    public static @Nullable Descriptor listen(String path) {
        Descriptor socket = socket();
        boolean done = false;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Errno.STATE);
            MemorySegment address = address(path, arena);
            int bound = Libc.bind(state, socket.number(), address, (int) address.byteSize());
            if (bound == -Errno.EADDRINUSE) {
                return null;
            }
            Errno.check(bound, "bind of a Unix socket");
            Errno.check(Libc.listen(state, socket.number(), BACKLOG), "listen");
            done = true;
            return socket;
        } finally {
            if (!done) {
                socket.close();
            }
        }
    }

    /** The next connection that waits, or null. */
    public static @Nullable Descriptor accept(Descriptor listener) {
        try (Arena arena = Arena.ofConfined()) {
            int fd = Libc.accept4(
                    arena.allocate(Errno.STATE),
                    listener.number(),
                    MemorySegment.NULL,
                    MemorySegment.NULL,
                    SOCK_NONBLOCK | SOCK_CLOEXEC);
            return fd == -Errno.EAGAIN ? null : new Descriptor((int) Errno.check(fd, "accept4"));
        }
    }

    /** Connects to the path if somebody listens there. */
    public static Connection connect(String path) {
        Descriptor socket = socket();
        boolean done = false;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = address(path, arena);
            int result = Libc.connect(arena.allocate(Errno.STATE), socket.number(), address, (int) address.byteSize());
            if (result == -Errno.ENOENT || result == -Errno.ECONNREFUSED || result == -Errno.EAGAIN) {
                return new Connection.Absent(-result);
            }
            Errno.check(result, "connect to a Unix socket");
            done = true;
            return new Connection.Connected(socket);
        } finally {
            if (!done) {
                socket.close();
            }
        }
    }

    /** Two sockets, each the other's other end. */
    public static List<Descriptor> pair() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pair = arena.allocate(ValueLayout.JAVA_INT, 2);
            Errno.check(
                    Libc.socketpair(
                            arena.allocate(Errno.STATE),
                            AF_UNIX,
                            SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
                            0,
                            pair),
                    "socketpair");
            return List.of(
                    new Descriptor(pair.getAtIndex(ValueLayout.JAVA_INT, 0)),
                    new Descriptor(pair.getAtIndex(ValueLayout.JAVA_INT, 1)));
        }
    }

    /** Who connected, or who listens. */
    public static Peer peer(Descriptor socket) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment credentials = arena.allocate(ValueLayout.JAVA_INT, 3);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) credentials.byteSize());
            Errno.check(
                    Libc.getsockopt(
                            arena.allocate(Errno.STATE), socket.number(), SOL_SOCKET, SO_PEERCRED, credentials, length),
                    "getsockopt(SO_PEERCRED)");
            return new Peer(
                    credentials.getAtIndex(ValueLayout.JAVA_INT, 0), credentials.getAtIndex(ValueLayout.JAVA_INT, 1));
        }
    }

    /** What became of a packet. */
    public enum Sent {
        YES,
        /** The other end has not read enough yet: try again when the socket can be written. */
        FULL,
        /** The other end is gone. */
        GONE
    }

    /** Sends one packet, with copies of these descriptors. */
    public static Sent send(Descriptor socket, byte[] packet, List<Descriptor> descriptors) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, packet);
            MemorySegment message = MessageHeader.allocate(arena, bytes);
            MessageHeader.attach(message, descriptors);
            long result =
                    Libc.sendmsg(arena.allocate(Errno.STATE), socket.number(), message, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (result == -Errno.EAGAIN) {
                return Sent.FULL;
            }
            if (result == -Errno.EPIPE || result == -Errno.ECONNRESET) {
                return Sent.GONE;
            }
            Errno.check(result, "sendmsg of " + packet.length + " bytes");
            return Sent.YES;
        }
    }

    /** Ends the conversation in both directions, also for a thread of this process that waits for the socket. */
    public static void shutdown(Descriptor socket) {
        try (Arena arena = Arena.ofConfined()) {
            // It fails where the other end is gone already, which is as good.
            Libc.shutdown(arena.allocate(Errno.STATE), socket.number(), SHUT_RDWR);
        }
    }

    private static Descriptor socket() {
        try (Arena arena = Arena.ofConfined()) {
            return new Descriptor((int) Errno.check(
                    Libc.socket(arena.allocate(Errno.STATE), AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                    "socket(AF_UNIX)"));
        }
    }

    private static MemorySegment address(String path, Arena arena) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > MOST_PATH) {
            throw new IllegalArgumentException("The path has " + bytes.length + " bytes: expected " + MOST_PATH);
        }
        MemorySegment address = arena.allocate(Short.BYTES + bytes.length + 1, Short.BYTES);
        address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(bytes, 0, address, ValueLayout.JAVA_BYTE, Short.BYTES, bytes.length);
        return address;
    }
}
