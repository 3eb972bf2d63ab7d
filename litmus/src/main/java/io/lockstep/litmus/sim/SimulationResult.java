package io.lockstep.litmus.sim;

/**
 * What came of a simulation.
 *
 * @param protocol the protocol's name
 * @param profile the machine's name
 * @param tokens rows
 * @param hidden elements of a row
 * @param iterations how many calls were run
 * @param wrongIterations in how many of them some rank had a wrong row
 * @param wrongRows how many rows were wrong, over all ranks and calls
 * @param firstBad the first call with a wrong row, from 1; 0 if there is none
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
        int firstBad,
        double maxAbsError,
        double millisecondsPerIteration) {

    /** Whether every row of every call was right. */
    public boolean right() {
        return firstBad == 0;
    }
}
