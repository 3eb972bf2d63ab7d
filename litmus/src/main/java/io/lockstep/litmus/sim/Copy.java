package io.lockstep.litmus.sim;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One copy of a buffer of the rotation, line by line. A line's content is its version: the number of the call that
 * wrote it, or {@link #ARMED}.
 *
 * <p>Nearly all lines are plain: they hold at home what their writer stored last, and nobody caches them. Only the
 * others are kept one by one, which is what makes a call of millions of lines take milliseconds.
 */
final class Copy {
    /** What words hold before they are sent, and data before the first call. */
    static final int ARMED = 0;

    private static final int NOT_CACHED = -1;

    /** A line that is not plain. */
    static final class Line {
        final int place;
        /** What its home holds. */
        int home;
        /** Stores that have been issued and are not there yet. */
        int inFlight;
        /** What the reader's second-level cache holds. */
        int secondLevel = NOT_CACHED;
        /** What the first-level caches of its polling and of its other waves hold. */
        final int[] firstLevel = {NOT_CACHED, NOT_CACHED};

        Line(int place, int home) {
            this.place = place;
            this.home = home;
        }

        /** A load through the caches. */
        int load(int wave) {
            if (firstLevel[wave] != NOT_CACHED) {
                return firstLevel[wave];
            }
            return secondLevel != NOT_CACHED ? secondLevel : home;
        }

        /** The caches keep what a load through them returns. */
        void keep(int wave, boolean secondLevelToo) {
            int version = load(wave);
            firstLevel[wave] = version;
            if (secondLevelToo) {
                secondLevel = version;
            }
        }

        void dropSecondLevel() {
            secondLevel = NOT_CACHED;
        }

        void evict() {
            dropSecondLevel();
            Arrays.fill(firstLevel, NOT_CACHED);
        }

        private boolean isPlain(int version) {
            return home == version
                    && inFlight == 0
                    && secondLevel == NOT_CACHED
                    && firstLevel[0] == NOT_CACHED
                    && firstLevel[1] == NOT_CACHED;
        }
    }

    private final Routes routes;
    /** What the plain lines hold, for each writer and reader. */
    private final int[] plain;

    private final Map<Integer, Line> lines = new HashMap<>();

    Copy(Routes routes) {
        this.routes = routes;
        plain = new int[routes.devices() * routes.devices()];
    }

    Routes routes() {
        return routes;
    }

    /** What the plain lines from a writer to a reader hold. */
    int plain(int writer, int reader) {
        return plain[writer * routes.devices() + reader];
    }

    void setPlain(int writer, int reader, int version) {
        plain[writer * routes.devices() + reader] = version;
    }

    /** The lines that are not plain. */
    Collection<Line> lines() {
        return lines.values();
    }

    /** A line by itself; plain ones are made so, until {@link #tidy}. */
    Line line(int place) {
        return lines.computeIfAbsent(place, key -> new Line(key, plain(routes.writer(key), routes.reader(key))));
    }

    /** Whether a line is kept by itself. */
    boolean has(int place) {
        return lines.containsKey(place);
    }

    /** Forgets the lines that have become plain. */
    void tidy() {
        lines.values().removeIf(line -> line.isPlain(plain(routes.writer(line.place), routes.reader(line.place))));
    }

    /** Takes what a device's waves cache at the first level out, or one wave's. */
    void dropFirstLevel(int device, List<Integer> waves) {
        for (Line line : lines.values()) {
            if (routes.reader(line.place) == device) {
                for (int wave : waves) {
                    line.firstLevel[wave] = NOT_CACHED;
                }
            }
        }
    }

    /** What a device caches at the second level is what one of its waves has loaded already. */
    void keepFirstLevel(int device, int wave) {
        for (Line line : lines.values()) {
            if (routes.reader(line.place) == device && line.secondLevel != NOT_CACHED) {
                line.firstLevel[wave] = line.load(wave);
            }
        }
    }

    /** Takes what a device caches at the second level out. */
    void dropSecondLevel(int device) {
        for (Line line : lines.values()) {
            if (routes.reader(line.place) == device) {
                line.dropSecondLevel();
            }
        }
    }
}
