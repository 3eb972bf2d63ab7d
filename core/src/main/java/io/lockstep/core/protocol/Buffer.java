package io.lockstep.core.protocol;

/**
 * Shared memory that turns: round {@code r} uses copy {@code r mod copies}. A round is one call of the operation, or on
 * a CPU one chunk of a call.
 *
 * @param name the field's word for it, for example {@code staging}
 * @param kind what it holds
 * @param copies how many copies take turns, at least 1
 */
public record Buffer(String name, Kind kind, int copies) {
    /** What a buffer holds. */
    public enum Kind {
        /** Ordinary values, ordered by something else. */
        DATA,
        /** One epoch for each pair of writer and reader. */
        FLAGS,
        /** Values of which each says by itself whether it has arrived. */
        WORDS,
        /** One word for each pair of writer and reader that says which call the writer makes. */
        HEADERS
    }

    /** Refuses a buffer without copies. */
    public Buffer {
        if (copies < 1) {
            throw new IllegalArgumentException("The buffer " + name + " needs at least one copy, not " + copies + ".");
        }
    }

    /** Ordinary values. */
    public static Buffer data(String name, int copies) {
        return new Buffer(name, Kind.DATA, copies);
    }

    /** Epochs. */
    public static Buffer flags(String name, int copies) {
        return new Buffer(name, Kind.FLAGS, copies);
    }

    /** Values that carry their own arrival. */
    public static Buffer words(String name, int copies) {
        return new Buffer(name, Kind.WORDS, copies);
    }

    /** Words that name calls. */
    public static Buffer headers(String name, int copies) {
        return new Buffer(name, Kind.HEADERS, copies);
    }
}
