package io.lockstep.core.protocol;

/** Whether some execution that a model allows breaks a promise. */
public enum Reachability {
    /** None does: the bad outcome is never reached. */
    FORBIDDEN,
    /** One does, and the checker shows it. */
    REACHABLE
}
