package io.lockstep.litmus.model;

import java.util.function.IntConsumer;

/** A set of pairs of events, as a bit matrix. */
public final class Relation {
    private final int size;
    private final int stride;
    private final long[] bits;

    /** The empty relation over {@code size} events. */
    public Relation(int size) {
        this.size = size;
        this.stride = (size + 63) >> 6;
        this.bits = new long[size * stride];
    }

    private Relation(Relation other) {
        this.size = other.size;
        this.stride = other.stride;
        this.bits = other.bits.clone();
    }

    /** A relation of its own with the same pairs. */
    public Relation copy() {
        return new Relation(this);
    }

    /** Over how many events. */
    public int size() {
        return size;
    }

    /** Whether the pair is in. */
    public boolean has(int from, int to) {
        return (bits[from * stride + (to >> 6)] & (1L << to)) != 0;
    }

    /** Put the pair in. */
    public void add(int from, int to) {
        bits[from * stride + (to >> 6)] |= 1L << to;
    }

    /**
     * Put the pair in and keep the relation transitive, if it was.
     *
     * @return whether it was not there yet
     */
    public boolean addClosed(int from, int to) {
        if (has(from, to)) {
            return false;
        }
        int source = to * stride;
        for (int i = 0; i < size; i++) {
            if (i != from && !has(i, from)) {
                continue;
            }
            int row = i * stride;
            for (int k = 0; k < stride; k++) {
                bits[row + k] |= bits[source + k];
            }
            add(i, to);
        }
        return true;
    }

    /** Add what transitivity asks for. */
    public void close() {
        for (int middle = 0; middle < size; middle++) {
            int source = middle * stride;
            for (int i = 0; i < size; i++) {
                if (!has(i, middle)) {
                    continue;
                }
                int row = i * stride;
                for (int k = 0; k < stride; k++) {
                    bits[row + k] |= bits[source + k];
                }
            }
        }
    }

    /** Every event that follows this one. */
    public void forEach(int from, IntConsumer action) {
        for (int k = 0; k < stride; k++) {
            long word = bits[from * stride + k];
            while (word != 0) {
                action.accept((k << 6) + Long.numberOfTrailingZeros(word));
                word &= word - 1;
            }
        }
    }

    /** Whether some event follows {@code from} and, in {@code next}, precedes {@code to}. */
    public boolean linked(int from, Relation next, int to) {
        for (int k = 0; k < stride; k++) {
            long word = bits[from * stride + k];
            while (word != 0) {
                if (next.has((k << 6) + Long.numberOfTrailingZeros(word), to)) {
                    return true;
                }
                word &= word - 1;
            }
        }
        return false;
    }

    /** Whether no event follows itself through any number of pairs. */
    public boolean isAcyclic() {
        Relation closed = copy();
        closed.close();
        for (int i = 0; i < size; i++) {
            if (closed.has(i, i)) {
                return false;
            }
        }
        return true;
    }
}
