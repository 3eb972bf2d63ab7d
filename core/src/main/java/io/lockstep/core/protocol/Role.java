package io.lockstep.core.protocol;

/** Which threads of a work-group do a step. */
public enum Role {
    /** Every thread. */
    ALL,
    /** Only the threads that exchange flags with the peers, one per peer. */
    POLLERS,
    /** Every other thread: the pollers are spare ones that touch no data. */
    OTHERS
}
