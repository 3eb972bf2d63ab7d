package io.lockstep.cli.ranks;

import java.util.function.DoubleConsumer;

/** How a rank at work says that it is alive and how far it has come. Cheap enough for every row. */
public final class Pulse {
    private static final long EVERY_NANOS = 250_000_000;

    private final DoubleConsumer sink;
    private long last = System.nanoTime();

    Pulse(DoubleConsumer sink) {
        this.sink = sink;
    }

    /** Tells how much of the order is done, 0 to 1; passed on a few times a second. */
    public void beat(double done) {
        long now = System.nanoTime();
        if (now - last >= EVERY_NANOS) {
            last = now;
            sink.accept(done);
        }
    }
}
