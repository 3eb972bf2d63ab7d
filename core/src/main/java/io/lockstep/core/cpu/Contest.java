package io.lockstep.core.cpu;

import java.util.Arrays;

/**
 * Which of two ways of making calls of about one size is the faster one. Now and then some calls are made each way and
 * timed; the calls in between go the way that won. Every rank makes the same calls, so all try the same way in the same
 * call, and each then decides for itself: what it would rather do may be slow for the ranks that read it, and a call's
 * time has both.
 *
 * <pre>
 * calls   … winner | first, first, second, second | winner …      12 each, of which the last 8 are timed
 * </pre>
 */
final class Contest {
    /** The first calls of a way, which do not count: the slots still hold what the way before left in them. */
    static final int UNCOUNTED = PlanLayout.SLOTS;

    /** And those that do. */
    static final int COUNTED = 8;

    static final int TRIAL = 2 * (UNCOUNTED + COUNTED);

    /**
     * Calls before the first trial; twice as many before the next one, and so on. The first ones are made by code that
     * is not compiled, and code that is compiled before it went both ways would be thrown away.
     */
    static final int FIRST = 16;

    /** It must be faster by more than by chance to take over. */
    private static final double CLEARLY = 0.95;

    private final int most;
    private final double[] firstTimes = new double[COUNTED];
    private final double[] secondTimes = new double[COUNTED];
    private int between = FIRST;
    private int calls;
    private int place;
    private boolean second;

    /**
     * A contest that the first way leads.
     *
     * @param most calls between two trials
     */
    Contest(int most) {
        this.most = most;
    }

    /** At the start of a call: whether it goes the second way. */
    boolean second() {
        place = calls++ - between;
        return place < 0 ? second : place >= TRIAL / 2;
    }

    /** Whether the time of this call counts. */
    boolean counts() {
        return place >= 0 && place % (TRIAL / 2) >= UNCOUNTED;
    }

    /**
     * At the end of a call.
     *
     * @param time of a call that counts, by its size; infinite if it tells nothing
     */
    void end(double time) {
        if (counts()) {
            (place < TRIAL / 2 ? firstTimes : secondTimes)[place % (TRIAL / 2) - UNCOUNTED] = time;
        }
        if (place == TRIAL - 1) {
            double firstTime = typical(firstTimes);
            double secondTime = typical(secondTimes);
            second = second ? firstTime >= CLEARLY * secondTime : secondTime < CLEARLY * firstTime;
            between = Math.min(2 * between, most);
            calls = 0;
        }
    }

    /** The lower quartile: other programs only ever add to a time, and the shortest one may be a stroke of luck. */
    private static double typical(double[] times) {
        Arrays.sort(times);
        return times[COUNTED / 4];
    }
}
