package io.lockstep.core.protocol;

/**
 * The number a flag carries, as an expression of the round: {@code round - lag}. An epoch before the first round is
 * true from the start: it is neither stored nor awaited.
 *
 * @param lag how many rounds back
 */
public record Epoch(int lag) {
    /** The round's own number. */
    public static final Epoch THIS_ROUND = new Epoch(0);

    /** The number for a round. */
    public int of(int round) {
        return round - lag;
    }

    @Override
    public String toString() {
        return lag == 0 ? "e" : "e-" + lag;
    }
}
