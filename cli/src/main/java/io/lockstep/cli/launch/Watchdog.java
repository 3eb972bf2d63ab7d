package io.lockstep.cli.launch;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Ends children whose parent was killed without a chance to do it itself: a small shell that is told of each child and
 * reads on until its input ends, which the kernel sees to however the parent goes.
 */
final class Watchdog implements AutoCloseable {
    private static final String SCRIPT = """
            children=
            # A signal from the terminal reaches this shell too: it stays until its input ends.
            trap '' INT TERM HUP
            while read -r word child; do
                case $word in
                    add) children="$children $child" ;;
                    gone) children=$(printf '%s\\n' $children | grep -vx "$child" | tr '\\n' ' ') ;;
                esac
            done
            [ -n "${children# }" ] || exit 0
            kill -TERM $children 2>/dev/null
            sleep 2
            kill -KILL $children 2>/dev/null
            """;

    private final OutputStream orders;

    private Watchdog(OutputStream orders) {
        this.orders = orders;
    }

    /** Starts the shell. */
    static Watchdog start() throws IOException {
        Process shell = new ProcessBuilder("sh", "-c", SCRIPT)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        return new Watchdog(shell.getOutputStream());
    }

    /** From now on this child ends with its parent. */
    void add(Process child) {
        say("add " + child.pid());
    }

    /** This child has ended: its number may soon be another process's. */
    void gone(Process child) {
        say("gone " + child.pid());
    }

    private void say(String order) {
        try {
            orders.write((order + "\n").getBytes(StandardCharsets.UTF_8));
            orders.flush();
        } catch (IOException shellGone) {
            // Without the shell only a parent that is killed outright leaves its children behind.
        }
    }

    @Override
    public void close() throws IOException {
        orders.close();
    }
}
