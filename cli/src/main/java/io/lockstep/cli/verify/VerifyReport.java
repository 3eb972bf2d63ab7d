package io.lockstep.cli.verify;

import java.util.List;

/**
 * What a rank found.
 *
 * @param tallies one for each algorithm, in the order asked; empty where nothing was run
 * @param calls how many each algorithm has made
 */
record VerifyReport(List<Tally> tallies, long calls) {
    static VerifyReport nothing() {
        return new VerifyReport(List.of(), 0);
    }
}
