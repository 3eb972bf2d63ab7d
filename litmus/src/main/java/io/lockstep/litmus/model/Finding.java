package io.lockstep.litmus.model;

import org.jspecify.annotations.Nullable;

/**
 * An execution that breaks a promise.
 *
 * @param kind how
 * @param execution the execution
 * @param read the read that shows it, or in a race one of the two accesses
 * @param write the write it returned, or in a race the other access; null if its value is undefined and no single write
 *     is to blame
 */
public record Finding(
        Kind kind,
        Execution execution,
        Event read,
        @Nullable Event write) {
    /** The ways to break a promise. */
    public enum Kind {
        /** An older value was returned. */
        STALE,
        /** A newer value was returned: the memory was written again too early. */
        OVERWRITTEN,
        /** The model gives the value no meaning, since nothing orders the read and a write. */
        UNDEFINED,
        /** A word of another round passed for one of this round. */
        OTHER_ROUND,
        /** A word never arrives. */
        LOST,
        /** Two accesses conflict, and nothing orders them. */
        RACE
    }
}
