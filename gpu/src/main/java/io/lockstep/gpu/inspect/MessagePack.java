package io.lockstep.gpu.inspect;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** MessagePack as code objects use it: maps, lists, texts, whole numbers and truth values. */
final class MessagePack {
    /** Lists and maps within one another: a code object's note has five. */
    private static final int DEEPEST = 32;

    private final ByteBuffer bytes;
    private int depth;

    private MessagePack(ByteBuffer bytes) {
        this.bytes = bytes;
    }

    /** A {@link Map}, {@link List}, {@link String}, {@link Long} or {@link Boolean}. */
    static Object read(ByteBuffer bytes) {
        return new MessagePack(bytes.slice().order(ByteOrder.BIG_ENDIAN)).value();
    }

    private Object value() {
        int type = bytes.get() & 0xFF;
        if (type < 0x80) {
            return (long) type;
        }
        if (type >= 0xE0) {
            return (long) (byte) type;
        }
        if (type < 0x90) {
            return map(type & 0xF);
        }
        if (type < 0xA0) {
            return list(type & 0xF);
        }
        if (type < 0xC0) {
            return text(type & 0x1F);
        }
        return switch (type) {
            case 0xC2 -> false;
            case 0xC3 -> true;
            case 0xCC -> (long) (bytes.get() & 0xFF);
            case 0xCD -> (long) (bytes.getShort() & 0xFFFF);
            case 0xCE -> bytes.getInt() & 0xFFFFFFFFL;
            case 0xCF, 0xD3 -> bytes.getLong();
            case 0xD0 -> (long) bytes.get();
            case 0xD1 -> (long) bytes.getShort();
            case 0xD2 -> (long) bytes.getInt();
            case 0xD9 -> text(bytes.get() & 0xFF);
            case 0xDA -> text(bytes.getShort() & 0xFFFF);
            case 0xDB -> text(bytes.getInt());
            case 0xDC -> list(bytes.getShort() & 0xFFFF);
            case 0xDD -> list(bytes.getInt());
            case 0xDE -> map(bytes.getShort() & 0xFFFF);
            case 0xDF -> map(bytes.getInt());
            default -> throw new IndexOutOfBoundsException("a value of type " + type);
        };
    }

    private void enter() {
        if (++depth > DEEPEST) {
            throw new IndexOutOfBoundsException("values within " + DEEPEST + " others");
        }
    }

    /** Whatever is counted takes a byte at least. */
    private int possible(int length) {
        if (length < 0 || length > bytes.limit()) {
            throw new IndexOutOfBoundsException("a length of " + length);
        }
        return length;
    }

    private String text(int length) {
        byte[] text = new byte[possible(length)];
        bytes.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }

    private List<Object> list(int length) {
        List<Object> list = new ArrayList<>();
        enter();
        for (int i = 0; i < possible(length); i++) {
            list.add(value());
        }
        depth--;
        return list;
    }

    private Map<Object, Object> map(int length) {
        Map<Object, Object> map = new LinkedHashMap<>();
        enter();
        for (int i = 0; i < possible(length); i++) {
            Object key = value();
            map.put(key, value());
        }
        depth--;
        return map;
    }
}
