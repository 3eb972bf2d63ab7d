package io.lockstep.core.group;

import io.lockstep.core.DriverException;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.posix.Descriptor;
import io.lockstep.core.posix.UnixSocket;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * The packets between ranks, in the byte order of the machine. Every packet begins with a magic number and its kind:
 *
 * <pre>
 * hello      0 magic   4 kind   8 protocol   12 rank   16 world size   20 pid   28 version…
 * roster     0 magic   4 kind   8 one pid a rank, 0 for a rank that has not come, 8 bytes each
 * welcome    as roster, with descriptors: the memory, then one stream to each other rank but 0, by rank
 * refusal    0 magic   4 kind   8 reason     12 sentence…
 * gave up    0 magic   4 kind   8 sentence…
 * goodbye    0 magic   4 kind   8 why…
 * gather     0 magic   4 kind   8 number     12 length of what   16 what…   message…
 * </pre>
 *
 * Hello and refusal stay as they are for ever: by them ranks of different versions tell each other so.
 */
final class Packets {
    /** Raised with every change of what ranks say to each other or find in shared memory. */
    static final int PROTOCOL = 1;

    /** The most bytes of a packet. */
    static final int MOST_BYTES = Membership.MOST_MESSAGE_BYTES + 1024;

    private static final int MOST_WHAT_BYTES = 512;
    private static final int MAGIC = 0x4C4B5354;
    private static final int HELLO = 1;
    private static final int ROSTER = 2;
    private static final int WELCOME = 3;
    private static final int REFUSAL = 4;
    private static final int GAVE_UP = 5;
    private static final int GOODBYE = 6;
    private static final int GATHER = 7;

    private Packets() {}

    /** One packet. */
    sealed interface Packet {}

    /** A rank comes. */
    record Hello(int protocol, int rank, int worldSize, long pid, String version) implements Packet {}

    /** Who has come so far: the process of each rank, or 0. */
    record Roster(List<Long> pids) implements Packet {}

    /** The group is complete. */
    record Welcome(List<Long> pids) implements Packet {}

    /** There will be no group. */
    record Refusal(Reason reason, String sentence) implements Packet {}

    /** A rank waits no longer. */
    record GaveUp(String sentence) implements Packet {}

    /** A rank leaves; why, or an empty string. */
    record Goodbye(String why) implements Packet {}

    /** Nothing that a rank of this version sends. */
    record Unknown() implements Packet {}

    /** A rank's message of an exchange. */
    record Gather(int number, String what, ByteBuffer message) implements Packet {
        byte[] bytes() {
            byte[] bytes = new byte[message.remaining()];
            message.duplicate().get(bytes);
            return bytes;
        }
    }

    /** Why there will be no group. */
    enum Reason {
        DISAGREEMENT(1),
        TIMEOUT(2),
        PEER_LOST(3),
        DRIVER(4);

        /** What is sent. */
        final int number;

        Reason(int number) {
            this.number = number;
        }

        static Reason of(int number) {
            return Arrays.stream(values())
                    .filter(reason -> reason.number == number)
                    .findFirst()
                    .orElse(DISAGREEMENT);
        }
    }

    static byte[] encode(Packet packet) {
        return switch (packet) {
            case Unknown unknown -> throw new IllegalArgumentException("Not a packet to send.");
            case Hello hello ->
                finish(start(HELLO)
                        .putInt(hello.protocol())
                        .putInt(hello.rank())
                        .putInt(hello.worldSize())
                        .putLong(hello.pid())
                        .put(utf8(hello.version(), MOST_WHAT_BYTES)));
            case Roster roster -> pids(ROSTER, roster.pids());
            case Welcome welcome -> pids(WELCOME, welcome.pids());
            case Refusal refusal ->
                finish(start(REFUSAL)
                        .putInt(refusal.reason().number)
                        .put(utf8(refusal.sentence(), Membership.MOST_MESSAGE_BYTES)));
            case GaveUp gaveUp -> finish(start(GAVE_UP).put(utf8(gaveUp.sentence(), Membership.MOST_MESSAGE_BYTES)));
            case Goodbye goodbye -> finish(start(GOODBYE).put(utf8(goodbye.why(), Membership.MOST_MESSAGE_BYTES)));
            case Gather gather -> {
                byte[] what = utf8(gather.what(), MOST_WHAT_BYTES);
                yield finish(start(GATHER)
                        .putInt(gather.number())
                        .putInt(what.length)
                        .put(what)
                        .put(gather.message().duplicate()));
            }
        };
    }

    /** The packet in these bytes. */
    static Packet decode(ByteBuffer bytes) {
        try {
            return read(bytes);
        } catch (BufferUnderflowException tooShort) {
            return new Unknown();
        }
    }

    private static Packet read(ByteBuffer bytes) {
        if (bytes.remaining() < 2 * Integer.BYTES || bytes.getInt() != MAGIC) {
            return new Unknown();
        }
        int kind = bytes.getInt();
        return switch (kind) {
            case HELLO -> new Hello(bytes.getInt(), bytes.getInt(), bytes.getInt(), bytes.getLong(), text(bytes));
            case ROSTER -> new Roster(pids(bytes));
            case WELCOME -> new Welcome(pids(bytes));
            case REFUSAL -> new Refusal(Reason.of(bytes.getInt()), text(bytes));
            case GAVE_UP -> new GaveUp(text(bytes));
            case GOODBYE -> new Goodbye(text(bytes));
            case GATHER -> {
                int number = bytes.getInt();
                byte[] what = new byte[Math.clamp(bytes.getInt(), 0, MOST_WHAT_BYTES)];
                bytes.get(what);
                yield new Gather(number, new String(what, StandardCharsets.UTF_8), bytes.slice());
            }
            default -> new Unknown();
        };
    }

    /** Sends a packet if that is possible now. For news that must not stop its sender, who fails or leaves. */
    static void offer(Descriptor socket, Packet packet) {
        try {
            UnixSocket.send(socket, encode(packet), List.of());
        } catch (DriverException notSent) {
            // Its reader learns from the end of the stream that something is wrong.
        }
    }

    /** A roster in which nobody has come. */
    static List<Long> nobody(int worldSize) {
        return Collections.nCopies(worldSize, 0L);
    }

    private static ByteBuffer start(int kind) {
        return ByteBuffer.allocate(MOST_BYTES)
                .order(ByteOrder.nativeOrder())
                .putInt(MAGIC)
                .putInt(kind);
    }

    private static byte[] finish(ByteBuffer packet) {
        byte[] bytes = new byte[packet.flip().remaining()];
        packet.get(bytes);
        return bytes;
    }

    private static byte[] pids(int kind, List<Long> pids) {
        ByteBuffer packet = start(kind);
        pids.forEach(packet::putLong);
        return finish(packet);
    }

    private static List<Long> pids(ByteBuffer bytes) {
        int count = Math.min(bytes.remaining() / Long.BYTES, GroupSpec.MAX_WORLD_SIZE);
        Long[] pids = new Long[count];
        Arrays.setAll(pids, i -> bytes.getLong());
        return List.of(pids);
    }

    private static byte[] utf8(String text, int most) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return bytes.length <= most ? bytes : Arrays.copyOf(bytes, most);
    }

    private static String text(ByteBuffer bytes) {
        return StandardCharsets.UTF_8.decode(bytes).toString();
    }
}
