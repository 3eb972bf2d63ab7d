package io.lockstep.core.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code sendmsg} and {@code recvmsg} are given, in bytes, on 64-bit Linux:
 *
 * <pre>
 * msghdr    0 name        8 length of name   16 iovec*    24 how many
 *          32 control*   40 length of it     48 flags     56
 * iovec     0 bytes*      8 length           16
 * control   0 length      8 level            12 type      16 descriptors, 4 bytes each
 * </pre>
 */
final class MessageHeader {
    /** The most descriptors that a packet may carry here. */
    static final int MOST_DESCRIPTORS = 16;

    private static final long BYTES = 56;
    private static final long VECTOR = 16;
    private static final long VECTOR_COUNT = 24;
    private static final long CONTROL = 32;
    private static final long CONTROL_LENGTH = 40;
    private static final long FLAGS = 48;

    private static final long VECTOR_BYTES = 16;
    private static final long VECTOR_LENGTH = 8;

    private static final long LEVEL = 8;
    private static final long TYPE = 12;
    private static final long DESCRIPTORS = 16;
    private static final long CONTROL_BYTES = DESCRIPTORS + Integer.BYTES * MOST_DESCRIPTORS;
    private static final int SCM_RIGHTS = 1;

    private MessageHeader() {}

    /** A header over these bytes, with room for descriptors. */
    static MemorySegment allocate(Arena arena, MemorySegment bytes) {
        MemorySegment vector = arena.allocate(VECTOR_BYTES, Long.BYTES);
        vector.set(ADDRESS, 0, bytes);
        vector.set(JAVA_LONG, VECTOR_LENGTH, bytes.byteSize());
        MemorySegment header = arena.allocate(BYTES, Long.BYTES);
        header.set(ADDRESS, VECTOR, vector);
        header.set(JAVA_LONG, VECTOR_COUNT, 1);
        header.set(ADDRESS, CONTROL, arena.allocate(CONTROL_BYTES, Long.BYTES));
        return header;
    }

    /** Gives the header all its room for descriptors again; receiving cuts it to what came. */
    static void expect(MemorySegment header) {
        header.set(JAVA_LONG, CONTROL_LENGTH, CONTROL_BYTES);
    }

    /** Attaches these descriptors, or none. */
    static void attach(MemorySegment header, List<Descriptor> descriptors) {
        if (descriptors.isEmpty()) {
            header.set(JAVA_LONG, CONTROL_LENGTH, 0);
            return;
        }
        long bytes = DESCRIPTORS + (long) Integer.BYTES * descriptors.size();
        MemorySegment control = control(header);
        control.set(JAVA_LONG, 0, bytes);
        control.set(JAVA_INT, LEVEL, UnixSocket.SOL_SOCKET);
        control.set(JAVA_INT, TYPE, SCM_RIGHTS);
        for (int i = 0; i < descriptors.size(); i++) {
            control.set(
                    JAVA_INT,
                    DESCRIPTORS + (long) Integer.BYTES * i,
                    descriptors.get(i).number());
        }
        header.set(JAVA_LONG, CONTROL_LENGTH, bytes);
    }

    /** The descriptors that came; they are open and belong to the caller. */
    static List<Descriptor> attached(MemorySegment header) {
        if (header.get(JAVA_LONG, CONTROL_LENGTH) < DESCRIPTORS) {
            return List.of();
        }
        MemorySegment control = control(header);
        boolean rights =
                control.get(JAVA_INT, LEVEL) == UnixSocket.SOL_SOCKET && control.get(JAVA_INT, TYPE) == SCM_RIGHTS;
        long end = rights ? control.get(JAVA_LONG, 0) : 0;
        List<Descriptor> descriptors = new ArrayList<>();
        for (long at = DESCRIPTORS; at + Integer.BYTES <= end; at += Integer.BYTES) {
            descriptors.add(new Descriptor(control.get(JAVA_INT, at)));
        }
        return descriptors;
    }

    /** The flags that receiving left. */
    static int flags(MemorySegment header) {
        return header.get(JAVA_INT, FLAGS);
    }

    @SuppressWarnings("restricted")
    private static MemorySegment control(MemorySegment header) {
        return header.get(ADDRESS, CONTROL).reinterpret(CONTROL_BYTES);
    }
}
