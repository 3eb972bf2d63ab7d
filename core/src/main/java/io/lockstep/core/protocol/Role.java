package io.lockstep.core.protocol;

/** Which threads of a work-group do a step. */
public enum Role {
    /** Every thread. */
    ALL,
    /** Only the threads that exchange flags with the peers, one per peer. */
    POLLERS,
    /** The threads that carry data, where the pollers are spare ones that touch none. */
    OTHERS,
    /** Threads beside those that carry data and beside the pollers: they make words ready to be sent again. */
    REARMERS
}
