package io.lockstep.core.group;

import java.time.Duration;

/** A point in time until which something is awaited. */
final class Deadline {
    private final Duration timeout;
    private final long end;

    private Deadline(Duration timeout) {
        this.timeout = timeout;
        this.end = System.nanoTime() + nanos(timeout);
    }

    static Deadline after(Duration timeout) {
        return new Deadline(timeout);
    }

    /** The time that is left, at most 0 when it is up. */
    long nanosLeft() {
        return end - System.nanoTime();
    }

    boolean isOver() {
        return nanosLeft() <= 0;
    }

    /** The whole timeout as people write it: {@code 30 s}, {@code 500 ms}. */
    @Override
    public String toString() {
        long milliseconds = nanos(timeout) / 1_000_000;
        return milliseconds % 1000 == 0 ? milliseconds / 1000 + " s" : milliseconds + " ms";
    }

    // A century is as good as for ever, and its nanoseconds fit.
    private static long nanos(Duration timeout) {
        Duration longest = Duration.ofDays(36_500);
        return (timeout.compareTo(longest) < 0 ? timeout : longest).toNanos();
    }
}
