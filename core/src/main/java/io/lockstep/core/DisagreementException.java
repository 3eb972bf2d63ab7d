package io.lockstep.core;

/**
 * The ranks of a group ask for different things: another shape, dtype, version or world size, or the same rank twice.
 */
public final class DisagreementException extends LockstepException {
    private static final long serialVersionUID = 1L;

    /** With a sentence that says what, where, found, expected and what to do. */
    public DisagreementException(String message) {
        super(message);
    }

    /** With a sentence and what lies beneath it. */
    public DisagreementException(String message, Throwable cause) {
        super(message, cause);
    }
}
