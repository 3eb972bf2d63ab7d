package io.lockstep.litmus.sim;

import org.jspecify.annotations.Nullable;

/**
 * What came of a simulation.
 *
 * @param protocol the protocol's name
 * @param profile the machine's name
 * @param tokens rows
 * @param hidden elements of a row
 * @param iterations how many calls were run to their end
 * @param wrongIterations in how many of them some device had a wrong row
 * @param wrongRows how many rows were wrong, over all devices and calls
 * @param firstBad the first wrong row, or where the first hang was; null if there is neither
 * @param hung which device waits for ever and for what, without an end; null if none does
 * @param maxAbsError the greatest error of an output, in units of the normalised output
 * @param millisecondsPerIteration how long a call took to simulate
 */
public record SimulationResult(
        String protocol,
        String profile,
        int tokens,
        int hidden,
        int iterations,
        int wrongIterations,
        long wrongRows,
        @Nullable FirstBad firstBad,
        @Nullable String hung,
        double maxAbsError,
        double millisecondsPerIteration) {

    /**
     * The first wrong row: by iteration, then by device and row.
     *
     * @param iteration counted from 0
     * @param device counted from 0
     * @param row counted from 0
     */
    public record FirstBad(int iteration, int device, int row) {}

    /** Whether every row of every call was right, and every call came to its end. */
    public boolean right() {
        return firstBad == null;
    }
}
