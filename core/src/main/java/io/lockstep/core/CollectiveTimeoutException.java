package io.lockstep.core;

/**
 * A deadline passed: a rank is stopped, stuck or never came. The message names it, the step, the epoch and what was
 * awaited.
 */
public final class CollectiveTimeoutException extends LockstepException {
    private static final long serialVersionUID = 1L;

    /** With a sentence that says what, where, found, expected and what to do. */
    public CollectiveTimeoutException(String message) {
        super(message);
    }

    /** With a sentence and what lies beneath it. */
    public CollectiveTimeoutException(String message, Throwable cause) {
        super(message, cause);
    }
}
