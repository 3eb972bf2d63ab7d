package io.lockstep.cli.console;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/**
 * The two streams of a command, and whether a person looks at them.
 *
 * @param out results
 * @param err progress and failures
 * @param outTerminal whether {@code out} is a terminal
 * @param errTerminal whether {@code err} is a terminal
 * @param colour whether colours are wanted where there is a terminal
 */
public record Console(PrintWriter out, PrintWriter err, boolean outTerminal, boolean errTerminal, boolean colour) {
    /** Set by the launcher, which can ask: whether stdout and stderr are terminals. */
    private static final String OUT_TERMINAL = "lockstep.terminal.out";

    private static final String ERR_TERMINAL = "lockstep.terminal.err";

    /** The streams of this process. {@code NO_COLOR} and {@code TERM=dumb} are heeded. */
    public static Console system() {
        boolean colour = System.getenv("NO_COLOR") == null && !"dumb".equals(System.getenv("TERM"));
        return new Console(
                new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                new PrintWriter(System.err, true, StandardCharsets.UTF_8),
                Boolean.getBoolean(OUT_TERMINAL),
                Boolean.getBoolean(ERR_TERMINAL),
                colour);
    }

    /** The text in green, on a terminal. */
    public String good(String text) {
        return paint("32", text);
    }

    /** The text in red, on a terminal. */
    public String bad(String text) {
        return paint("31", text);
    }

    /** The text in grey, on a terminal. */
    public String faint(String text) {
        return paint("2", text);
    }

    private String paint(String code, String text) {
        return outTerminal && colour ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
    }
}
