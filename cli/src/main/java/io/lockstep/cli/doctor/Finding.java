package io.lockstep.cli.doctor;

import java.util.Locale;

/**
 * One thing that was looked at.
 *
 * @param subject what
 * @param state whether it is as it should be
 * @param detail what was found; where it is not as it should be, what to do
 */
public record Finding(String subject, State state, String detail) {
    /** Whether it is as it should be. */
    public enum State {
        /** As it should be. */
        OK,
        /** Lockstep works, but worse than it could. */
        WARNING,
        /** Something does not work. */
        MISSING;

        /** In tables and files. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static Finding ok(String subject, String detail) {
        return new Finding(subject, State.OK, detail);
    }

    static Finding warning(String subject, String detail) {
        return new Finding(subject, State.WARNING, detail);
    }

    static Finding missing(String subject, String detail) {
        return new Finding(subject, State.MISSING, detail);
    }
}
