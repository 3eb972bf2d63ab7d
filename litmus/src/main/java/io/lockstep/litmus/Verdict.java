package io.lockstep.litmus;

import io.lockstep.core.protocol.Reachability;
import java.util.List;

/**
 * What the checker found for one protocol under one setting.
 *
 * @param protocol the protocol's name
 * @param setting under what
 * @param found whether a promise can break
 * @param expected whether one is known to
 * @param broken the promise that breaks, and how; empty if none does
 * @param counterexample the execution that breaks it, line by line; empty if none does
 * @param milliseconds how long it took
 */
public record Verdict(
        String protocol,
        Setting setting,
        Reachability found,
        Reachability expected,
        String broken,
        List<String> counterexample,
        double milliseconds) {

    /** Keeps its own copy. */
    public Verdict {
        counterexample = List.copyOf(counterexample);
    }

    /** The grade of the bad outcome. */
    public Grade grade() {
        return Grade.of(expected);
    }

    /** Whether the verdict is the expected one. */
    public boolean asExpected() {
        return found == expected;
    }
}
