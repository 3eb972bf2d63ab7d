package io.lockstep.core.cpu;

import io.lockstep.core.posix.RawMemory;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * The verbs: the only ordered accesses to memory that ranks share. A word is 64 bits at an address that is a multiple
 * of 8, so it is written and read whole.
 *
 * <p>{@link #publish} and {@link #await} make a pair: what was written before the one is visible after the other has
 * seen its word. {@link #peek} makes no pair with anything.
 */
class SharedWords {
    private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();

    /** Stores with release: everything this thread wrote before is visible to whoever awaits the word. */
    void publish(long address, long word) {
        WORD.setRelease(RawMemory.ALL, address, word);
    }

    /** Loads with acquire: if the word is the published one, everything written before it is visible from here on. */
    long await(long address) {
        return (long) WORD.getAcquire(RawMemory.ALL, address);
    }

    /** Loads without order: for deciding whether to look closer, never for reading what a word speaks of. */
    long peek(long address) {
        return (long) WORD.getOpaque(RawMemory.ALL, address);
    }

    /**
     * Nothing this thread does after it is seen before what it did before it: for a sleeper and its waker, which look
     * at each other.
     */
    void fence() {
        VarHandle.fullFence();
    }
}
