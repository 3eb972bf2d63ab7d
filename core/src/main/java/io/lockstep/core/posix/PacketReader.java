package io.lockstep.core.posix;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Receives packets from Unix sockets. It holds the memory that this needs, so that asking often for what is seldom
 * there costs a system call and nothing else. One thread at a time may use an instance.
 */
public final class PacketReader {
    private static final int MSG_CTRUNC = 0x8;
    private static final int MSG_TRUNC = 0x20;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final Received NOTHING = new Received.Nothing();
    private static final Received END = new Received.End();

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment state = arena.allocate(Errno.STATE);
    private final MemorySegment bytes;
    private final MemorySegment header;

    /** What was received. */
    public sealed interface Received {
        /**
         * A packet, in the byte order of this machine, with the descriptors it carried, which now belong to the
         * receiver.
         */
        record Packet(ByteBuffer bytes, List<Descriptor> descriptors) implements Received {}

        /** Nothing yet. */
        record Nothing() implements Received {}

        /** The other end is gone, and everything it sent has been received. */
        record End() implements Received {}
    }

    /** For packets of so many bytes at most; a longer one is an error. */
    public PacketReader(int mostBytes) {
        bytes = arena.allocate(mostBytes);
        header = MessageHeader.allocate(arena, bytes);
    }

    /** Receives one packet if there is one; never waits. */
    public Received receive(Descriptor socket) {
        long result;
        do {
            MessageHeader.expect(header);
            result = Libc.recvmsg(state, socket.number(), header, UnixSocket.MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
            // The other end closed with packets unread: the kernel tells this once, ahead of what that end had sent.
        } while (result == -Errno.ECONNRESET);
        if (result == -Errno.EAGAIN) {
            return NOTHING;
        }
        Errno.check(result, "recvmsg");
        if (result == 0) {
            return END;
        }
        List<Descriptor> descriptors = MessageHeader.attached(header);
        int flags = MessageHeader.flags(header);
        if ((flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
            descriptors.forEach(Descriptor::close);
            throw (flags & MSG_CTRUNC) != 0
                    ? Errno.failure("recvmsg of file descriptors", Errno.EMFILE)
                    : Errno.failure("recvmsg of more than " + bytes.byteSize() + " bytes", Errno.EMSGSIZE);
        }
        byte[] packet = bytes.asSlice(0, result).toArray(ValueLayout.JAVA_BYTE);
        return new Received.Packet(ByteBuffer.wrap(packet).order(ByteOrder.nativeOrder()), descriptors);
    }
}
