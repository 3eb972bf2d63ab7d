package io.lockstep.litmus;

import io.lockstep.core.protocol.Reachability;

/**
 * How a bad outcome is graded, in the words of jcstress. Both grades are expectations: a verdict meets its or fails.
 */
public enum Grade {
    /** No execution may show it. */
    FORBIDDEN,
    /** Some execution must show it: it is the fault that the protocol is kept for. */
    INTERESTING;

    /** The grade of a bad outcome that is expected to be reachable or not. */
    static Grade of(Reachability expected) {
        return expected == Reachability.FORBIDDEN ? FORBIDDEN : INTERESTING;
    }
}
