package io.lockstep.litmus.sim;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One device: where it stands in its protocol, and what it has issued that is not done yet. */
final class Device {
    /** Which of its waves polls flags, and which does not. */
    static final int POLLING = 0;

    static final int OTHER = 1;

    /** A store in flight: issued, and not in the memory of its home yet. */
    static final class Store {
        final Copy copy;
        final int[] places;
        final int version;
        final int wave;
        /** Whether a barrier or a kernel's end has come after it, so that another wave's release covers it too. */
        boolean covered;

        Store(Copy copy, int[] places, int version, int wave) {
            this.copy = copy;
            this.places = places;
            this.version = version;
            this.wave = wave;
        }
    }

    /** A load in flight: issued, and without its value yet. */
    static final class Load {
        final Copy copy;
        final int place;
        final int iteration;
        final int wave;
        boolean covered;

        Load(Copy copy, int place, int iteration, int wave) {
            this.copy = copy;
            this.place = place;
            this.iteration = iteration;
            this.wave = wave;
        }
    }

    /** Which of the words of a step have come. */
    static final class Arrivals {
        final boolean[] fromWriter;
        final Set<Integer> early = new HashSet<>();
        final Set<Integer> missing = new HashSet<>();

        Arrivals(int devices) {
            fromWriter = new boolean[devices];
        }
    }

    final int number;
    final List<Store> stores = new ArrayList<>();
    final List<Load> loads = new ArrayList<>();
    /** Whether each wave has read a flag in this kernel. */
    final boolean[] observed = new boolean[2];

    int iteration = 1;
    int step;

    @Nullable
    Arrivals arrivals;

    Device(int number) {
        this.number = number;
    }

    /** The first iteration of which this device does not know everything yet. */
    int unfinished() {
        int first = iteration;
        for (Load load : loads) {
            first = Math.min(first, load.iteration);
        }
        return first;
    }
}
