package io.lockstep.core;

/** How the ranks exchange what they add. The result has the same bits whichever is chosen. */
public enum Algorithm {
    /**
     * Chosen per call by its number of tokens; the crossover is measured on this machine when the operation is planned.
     */
    AUTO("auto"),
    /** Every rank reads the input of every other and adds all of it. Fewest steps: best for few tokens. */
    ONE_SHOT("one-shot"),
    /** Every rank adds its share of the elements and the others read the sum. Less traffic: best for many tokens. */
    TWO_SHOT("two-shot");

    private final String label;

    Algorithm(String label) {
        this.label = label;
    }

    /** The name on the command line and in messages. */
    public String label() {
        return label;
    }

    /**
     * The algorithm with this label.
     *
     * @throws UsageException if there is none
     */
    public static Algorithm of(String label) {
        for (Algorithm algorithm : values()) {
            if (algorithm.label.equals(label)) {
                return algorithm;
            }
        }
        throw new UsageException("Unknown algorithm '" + label + "': expected auto, one-shot or two-shot.");
    }

    @Override
    public String toString() {
        return label;
    }
}
