package io.lockstep.core.cpu;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.DriverException;
import io.lockstep.core.PeerLostException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What each rank says of itself in the first bytes of the group's memory: its latest call, and why it gave up. */
final class Standing {
    private static final int LOST = 1;
    private static final int DISAGREEMENT = 2;
    private static final int TIMEOUT = 3;
    private static final int OTHER = 4;

    /** Polls before the processor is offered to the other rank. */
    private static final int ROUND_TRIP_SPINS = 1000;

    private final MemorySegment memory;
    private final SharedWords words;

    Standing(MemorySegment memory, SharedWords words) {
        this.memory = memory;
        this.words = words;
    }

    /**
     * Says that a rank begins a call. Pairs with {@link #makesAnotherCall}; makes the tokens visible. Without it:
     * litmus cpu-one-shot.
     */
    void begin(int rank, int call, int plan, int tokens) {
        words.publish(address(rank, GroupLayout.TOKENS), tokens);
        words.publish(address(rank, GroupLayout.CALL), (long) plan << Integer.SIZE | Integer.toUnsignedLong(call));
    }

    /**
     * Whether a rank is in a call of this number, but another one. Pairs with {@link #begin}; makes its tokens visible.
     * Without it: litmus cpu-one-shot.
     */
    boolean makesAnotherCall(int rank, int call, int plan, int tokens) {
        long word = words.await(address(rank, GroupLayout.CALL));
        long theirs = words.await(address(rank, GroupLayout.TOKENS));
        // Read again: the tokens may be those of the next call by now.
        return word == words.await(address(rank, GroupLayout.CALL))
                && (int) word == call
                && ((int) (word >>> Integer.SIZE) != plan || theirs != tokens);
    }

    /** In words, for a report. Pairs with {@link #begin}; makes the tokens visible. Without it: litmus cpu-one-shot. */
    String lastHeard(int rank) {
        long word = words.await(address(rank, GroupLayout.CALL));
        if (word == 0) {
            return "has not begun any call";
        }
        long tokens = words.await(address(rank, GroupLayout.TOKENS));
        return "last began call " + (int) word + " (plan " + (word >>> Integer.SIZE) + ", " + tokens + " tokens)";
    }

    /**
     * Says why a rank gives up. Pairs with {@link #failure}; makes the text visible. Without it: litmus cpu-one-shot.
     */
    void fail(int rank, RuntimeException reason) {
        byte[] text = String.valueOf(reason.getMessage()).getBytes(StandardCharsets.UTF_8);
        byte[] fitting = Arrays.copyOf(text, GroupLayout.MOST_REASON_BYTES);
        MemorySegment.copy(
                fitting, 0, memory, ValueLayout.JAVA_BYTE, GroupLayout.rank(rank) + GroupLayout.REASON, fitting.length);
        int kind = switch (reason) {
            case PeerLostException e -> LOST;
            case DisagreementException e -> DISAGREEMENT;
            case CollectiveTimeoutException e -> TIMEOUT;
            default -> OTHER;
        };
        words.publish(address(rank, GroupLayout.FAILED), kind);
    }

    /** Whether a rank gave up. Pairs with {@link #fail}; makes the text visible. Without it: litmus cpu-one-shot. */
    boolean hasFailed(int rank) {
        return words.await(address(rank, GroupLayout.FAILED)) != 0;
    }

    /**
     * The exception for a rank that gave up. Pairs with {@link #fail}; makes the text visible. Without it: litmus
     * cpu-one-shot.
     */
    RuntimeException failure(int rank, String prefix) {
        long kind = words.await(address(rank, GroupLayout.FAILED));
        byte[] text = new byte[GroupLayout.MOST_REASON_BYTES];
        MemorySegment.copy(
                memory, ValueLayout.JAVA_BYTE, GroupLayout.rank(rank) + GroupLayout.REASON, text, 0, text.length);
        String sentence = prefix + new String(text, StandardCharsets.UTF_8).replaceAll("[\\x00\\uFFFD]+$", "");
        return switch ((int) kind) {
            case LOST -> new PeerLostException(sentence);
            case DISAGREEMENT -> new DisagreementException(sentence);
            case TIMEOUT -> new CollectiveTimeoutException(sentence);
            default -> new DriverException(sentence);
        };
    }

    /**
     * Sends a word to the other one of ranks 0 and 1 and takes its answer: rank 0 begins. Pairs with itself on the
     * other rank: a signal as in a call, to be timed. Without it: litmus cpu-one-shot.
     */
    void roundTrip(int rank) {
        long mine = memory.address() + GroupLayout.roundTrip(rank);
        long theirs = memory.address() + GroupLayout.roundTrip(1 - rank);
        long next = words.peek(mine) + 1;
        if (rank == 0) {
            words.publish(mine, next);
        }
        for (int polls = 0; words.await(theirs) != next; polls++) {
            if (polls < ROUND_TRIP_SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
        if (rank == 1) {
            words.publish(mine, next);
        }
    }

    private long address(int rank, int field) {
        return memory.address() + GroupLayout.rank(rank) + field;
    }
}
