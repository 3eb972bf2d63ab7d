package io.lockstep.core;

/** The answer of {@link Backend#probe}. */
public sealed interface Readiness {
    /**
     * The backend can be used.
     *
     * @param detail what was found, in a sentence
     */
    record Ready(String detail) implements Readiness {}

    /**
     * The backend cannot be used.
     *
     * @param reason what is missing and what to do about it, in a sentence
     */
    record NotReady(String reason) implements Readiness {}
}
