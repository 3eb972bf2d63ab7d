package io.lockstep.core.protocol;

/** In whose memory an access lands. */
public enum Home {
    /** In the memory of the rank that makes the access. */
    OWN,
    /** In the memory of each of the other ranks. */
    PEERS
}
