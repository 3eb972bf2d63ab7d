package io.lockstep.cli.verify;

import java.util.List;

/**
 * What a rank found.
 *
 * @param tallies one for each algorithm, in the order asked; empty where nothing was run
 */
record VerifyReport(List<Tally> tallies) {}
