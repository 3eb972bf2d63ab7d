package io.lockstep.core;

/** Another rank of the group died or left while it was needed. The message names it, the step and the epoch. */
public final class PeerLostException extends LockstepException {
    private static final long serialVersionUID = 1L;

    /** With a sentence that says what, where, found, expected and what to do. */
    public PeerLostException(String message) {
        super(message);
    }

    /** With a sentence and what lies beneath it. */
    public PeerLostException(String message, Throwable cause) {
        super(message, cause);
    }
}
