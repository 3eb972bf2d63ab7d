package io.lockstep.core;

/** The operating system, a driver or the machine refused something. The message names it and the remedy. */
public final class DriverException extends LockstepException {
    private static final long serialVersionUID = 1L;

    /** With a sentence that says what, where, found, expected and what to do. */
    public DriverException(String message) {
        super(message);
    }

    /** With a sentence and what lies beneath it. */
    public DriverException(String message, Throwable cause) {
        super(message, cause);
    }
}
