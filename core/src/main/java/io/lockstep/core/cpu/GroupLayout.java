package io.lockstep.core.cpu;

/**
 * The first bytes of a group's memory: what each rank says of itself.
 *
 * <pre>
 *       0        8        16       24                64                                 512
 *       +--------+--------+--------+-----------------+----------------------------------+
 * rank 0|  call  | tokens | failed |                 | why it failed, UTF-8             |
 *       +--------+--------+--------+-----------------+----------------------------------+
 * rank 1|                                                                               |
 *       +-------------------------------------------------------------------------------+
 *   …
 * 4096  | the words of the round trip: one of rank 0, one of rank 1, 128 bytes apart    |
 *       +-------------------------------------------------------------------------------+
 * </pre>
 *
 * {@code call} holds the number of the call in its lower and the number of the plan in its upper half. Each rank writes
 * its own words alone.
 */
final class GroupLayout {
    static final long BYTES = 8192;
    static final int CALL = 0;
    static final int TOKENS = 8;
    static final int FAILED = 16;
    static final int REASON = 64;
    static final int MOST_REASON_BYTES = 512 - REASON;
    private static final int RANK_BYTES = 512;
    private static final int ROUND_TRIP = 4096;
    private static final int WORD_DISTANCE = 128;

    private GroupLayout() {}

    static long rank(int rank) {
        return (long) rank * RANK_BYTES;
    }

    static long roundTrip(int rank) {
        return ROUND_TRIP + (long) rank * WORD_DISTANCE;
    }
}
