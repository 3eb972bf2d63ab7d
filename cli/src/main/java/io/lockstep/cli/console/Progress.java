package io.lockstep.cli.console;

/** One line that is written over and over, on a terminal only. Elsewhere it is silent. */
public final class Progress implements AutoCloseable {
    private static final long REDRAW_NANOS = 100_000_000;
    private static final int WIDTH = 110;

    private final Console console;
    private boolean drawn;
    private long last = System.nanoTime() - REDRAW_NANOS;

    public Progress(Console console) {
        this.console = console;
    }

    /** Shows this text, unless the last one is only a moment old. */
    public synchronized void show(String text) {
        long now = System.nanoTime();
        if (!console.errTerminal() || now - last < REDRAW_NANOS) {
            return;
        }
        last = now;
        drawn = true;
        String line = text.length() > WIDTH ? text.substring(0, WIDTH - 1) + "…" : text;
        console.err().print("\r\u001b[2K" + line);
        console.err().flush();
    }

    /** Removes the line. */
    @Override
    public synchronized void close() {
        if (drawn) {
            console.err().print("\r\u001b[2K");
            console.err().flush();
            drawn = false;
        }
    }
}
