package io.lockstep.cli;

import io.lockstep.cli.console.Console;

/** Where {@code ./lockstep} enters. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        Stderr.restore();
        System.exit(CommandLines.of(Console.system()).execute(args));
    }
}
