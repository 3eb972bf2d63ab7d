package io.lockstep.core;

/** The caller's arguments are wrong. Nothing was started and nothing was changed: mend the call and make it again. */
public final class UsageException extends LockstepException {
    private static final long serialVersionUID = 1L;

    /** With a sentence that says what, where, found, expected and what to do. */
    public UsageException(String message) {
        super(message);
    }

    /** With a sentence and what lies beneath it. */
    public UsageException(String message, Throwable cause) {
        super(message, cause);
    }
}
