package io.lockstep.cli;

import io.lockstep.cli.console.Console;
import java.io.PrintWriter;
import java.io.StringWriter;

/** Runs a command as a person would, and keeps what it printed. */
public record Lockstep(int status, String out, String err) {
    /** Runs it in this JVM. */
    public static Lockstep run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        Console console = new Console(new PrintWriter(out, true), new PrintWriter(err, true), false, false, false);
        int status = CommandLines.of(console).execute(arguments);
        return new Lockstep(status, out.toString(), err.toString());
    }
}
