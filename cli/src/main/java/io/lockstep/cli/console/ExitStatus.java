package io.lockstep.cli.console;

/** The exit codes of every command. */
public final class ExitStatus {
    /** Everything is right. */
    public static final int RIGHT = 0;
    /** Numbers are wrong, or a call failed that had to succeed. */
    public static final int WRONG = 1;
    /** The command was used wrongly. */
    public static final int USAGE = 2;
    /** It could not run here. */
    public static final int CANNOT_RUN = 3;

    private ExitStatus() {}
}
