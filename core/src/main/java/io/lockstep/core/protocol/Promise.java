package io.lockstep.core.protocol;

/**
 * What a protocol promises about one buffer.
 *
 * @param kind what is promised
 * @param buffer about which buffer
 */
public record Promise(Kind kind, Buffer buffer) {
    /** What can be promised. */
    public enum Kind {
        /** What a round wrote is what the same round reads: nothing older. */
        VISIBLE("a read returned an older value"),
        /** A round's reads end before a later round writes the same copy. */
        UNDISTURBED("a read returned a later round's value"),
        /** A word taken for this round was sent in this round, by a peer that makes the same call. */
        OF_THIS_ROUND("a word of another call was taken for this one's"),
        /** Every word that is sent arrives: re-arming never overwrites one. */
        NOT_LOST("a word was overwritten by re-arming: the receiver waits for ever");

        private final String broken;

        Kind(String broken) {
            this.broken = broken;
        }

        /** A few words for a table: what happens when the promise is broken. */
        public String broken() {
            return broken;
        }
    }

    @Override
    public String toString() {
        return kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-') + "(" + buffer.name() + ")";
    }
}
