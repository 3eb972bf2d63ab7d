package io.lockstep.cli.console;

/** A command ends here, with a sentence for the user and an exit code. */
public final class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;

    private CommandFailure(int status, String message) {
        super(message);
        this.status = status;
    }

    private CommandFailure(int status, String message, Throwable cause) {
        super(message, cause);
        this.status = status;
    }

    /** The options do not make sense. */
    public static CommandFailure usage(String message) {
        return new CommandFailure(ExitStatus.USAGE, message);
    }

    /** Something is missing on this machine. */
    public static CommandFailure cannotRun(String message) {
        return new CommandFailure(ExitStatus.CANNOT_RUN, message);
    }

    /** Something is missing on this machine, and this is what lies beneath it. */
    public static CommandFailure cannotRun(String message, Throwable cause) {
        return new CommandFailure(ExitStatus.CANNOT_RUN, message, cause);
    }

    /** With an exit code that the caller has decided on. */
    public static CommandFailure of(int status, String message) {
        return new CommandFailure(status, message);
    }

    /** The exit code. */
    public int status() {
        return status;
    }
}
