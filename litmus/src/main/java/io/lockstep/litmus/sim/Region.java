package io.lockstep.litmus.sim;

import java.util.Arrays;

/**
 * A buffer of every device, line by line: what has arrived in the memory of its home, and what each reader holds in its
 * caches. The content of a line is the number of the iteration that wrote it.
 */
final class Region {
    private final int[] arrived;
    private final int[] late;
    private final int[] secondLevel;
    private final int[] firstLevel;

    /** A region with so many places, a place being one line of one home as one reader sees it. */
    Region(int places) {
        arrived = new int[places];
        late = new int[places];
        secondLevel = new int[places];
        firstLevel = new int[places];
        forgetFirstLevel();
        forgetSecondLevel();
    }

    private static final int NOT_CACHED = -1;

    /** A store reaches its home. With {@code probes}, a copy in the second-level cache goes. */
    void arrive(int place, int version, boolean probes) {
        arrived[place] = version;
        late[place] = 0;
        if (probes) {
            secondLevel[place] = NOT_CACHED;
        }
    }

    /** A store stays in flight; the line keeps what it held. */
    void delay(int place, int version) {
        late[place] = version;
    }

    /** Every store in flight reaches its home. */
    void arriveAll(boolean probes) {
        for (int place = 0; place < late.length; place++) {
            if (late[place] != 0) {
                arrive(place, late[place], probes);
            }
        }
    }

    /** A load through both caches, which keep the line. */
    int load(int place, boolean caches) {
        if (firstLevel[place] == NOT_CACHED) {
            if (!caches) {
                secondLevel[place] = NOT_CACHED;
            }
            if (secondLevel[place] == NOT_CACHED) {
                secondLevel[place] = arrived[place];
            }
            firstLevel[place] = secondLevel[place];
        }
        return firstLevel[place];
    }

    /** The first-level cache holds a version. */
    void hold(int place, int version) {
        firstLevel[place] = version;
    }

    /** The caches happen to drop a line. */
    void evict(int place) {
        firstLevel[place] = NOT_CACHED;
        secondLevel[place] = NOT_CACHED;
    }

    /** An invalidation, which reaches the first-level cache only of threads that wait for it. */
    void forget(int place, BarrierFacts.Reach reach, boolean waits) {
        if (waits) {
            firstLevel[place] = NOT_CACHED;
        }
        if (reach == BarrierFacts.Reach.L1_AND_L2) {
            secondLevel[place] = NOT_CACHED;
        }
    }

    void forgetFirstLevel() {
        Arrays.fill(firstLevel, NOT_CACHED);
    }

    void forgetSecondLevel() {
        Arrays.fill(secondLevel, NOT_CACHED);
    }
}
