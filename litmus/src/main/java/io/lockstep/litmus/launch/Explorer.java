package io.lockstep.litmus.launch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Tries every interleaving of two calls on each of two devices. */
public final class Explorer {
    /**
     * What comes of a discipline.
     *
     * @param discipline which one
     * @param hangs whether some interleaving hangs
     * @param mixes whether some interleaving hands one call's data to another
     * @param refuses whether some interleaving ends in an error, since a header is of another call
     * @param hang the interleaving that hangs, step by step; empty if none does
     * @param mixUp the interleaving that mixes, step by step; empty if none does
     * @param refusal the interleaving that ends in an error, step by step; empty if none does
     */
    public record Outcome(
            Discipline discipline,
            boolean hangs,
            boolean mixes,
            boolean refuses,
            List<String> hang,
            List<String> mixUp,
            List<String> refusal) {
        /** Keeps its own copies. */
        public Outcome {
            hang = List.copyOf(hang);
            mixUp = List.copyOf(mixUp);
            refusal = List.copyOf(refusal);
        }

        /** Whether that is what is known of it. */
        public boolean asExpected() {
            return hangs == discipline.hangs() && mixes == discipline.mixes() && refuses == discipline.refuses();
        }
    }

    private static final int DEVICES = 2;
    private static final int CALLS = 2;
    private static final int COPIES = 2;
    private static final int LAST = 7;

    /** One call of one device: a kernel with a place in its stream. */
    private record Kernel(int device, int stream, int call, int channel) {}

    private final Discipline discipline;
    private final List<Kernel> kernels = new ArrayList<>();
    private final Set<List<Integer>> visited = new HashSet<>();
    private final List<String> trace = new ArrayList<>();
    private List<String> hang = List.of();
    private List<String> mixUp = List.of();
    private List<String> refusal = List.of();

    private Explorer(Discipline discipline) {
        this.discipline = discipline;
        for (int device = 0; device < DEVICES; device++) {
            for (int place = 0; place < CALLS; place++) {
                boolean swapped = discipline.otherOrder() && device == 1;
                int call = swapped ? CALLS - 1 - place : place;
                int stream = discipline.oneStream() ? 0 : place;
                kernels.add(new Kernel(device, stream, call, discipline.sharedChannel() ? 0 : stream));
            }
        }
    }

    /** Explores one discipline. */
    public static Outcome explore(Discipline discipline) {
        Explorer explorer = new Explorer(discipline);
        explorer.step(new State(explorer.kernels.size()));
        return new Outcome(
                discipline,
                !explorer.hang.isEmpty(),
                !explorer.mixUp.isEmpty(),
                !explorer.refusal.isEmpty(),
                explorer.hang,
                explorer.mixUp,
                explorer.refusal);
    }

    /** Explores all of them. */
    public static List<Outcome> exploreAll() {
        return Arrays.stream(Discipline.values()).map(Explorer::explore).toList();
    }

    /** Where every kernel stands, and what the memory holds. */
    private static final class State {
        final int[] position;
        final int[] epoch;
        final int[] counter = new int[DEVICES * CALLS];
        final int[] flag = new int[DEVICES * CALLS];
        final int[] data = new int[DEVICES * CALLS * COPIES];
        final int[] holder = new int[DEVICES];

        State(int kernels) {
            position = new int[kernels];
            epoch = new int[kernels];
        }

        State(State other) {
            position = other.position.clone();
            epoch = other.epoch.clone();
            System.arraycopy(other.counter, 0, counter, 0, counter.length);
            System.arraycopy(other.flag, 0, flag, 0, flag.length);
            System.arraycopy(other.data, 0, data, 0, data.length);
            System.arraycopy(other.holder, 0, holder, 0, holder.length);
        }

        List<Integer> key() {
            List<Integer> key = new ArrayList<>();
            for (int[] part : new int[][] {position, epoch, counter, flag, data, holder}) {
                for (int value : part) {
                    key.add(value);
                }
            }
            return key;
        }
    }

    private void step(State state) {
        if (!visited.add(state.key())) {
            return;
        }
        boolean moved = false;
        boolean done = true;
        for (int i = 0; i < kernels.size(); i++) {
            done &= state.position[i] == LAST;
            if (ready(state, i)) {
                moved = true;
                State next = new State(state);
                trace.add(advance(next, i));
                step(next);
                trace.removeLast();
            }
        }
        if (!moved && !done && hang.isEmpty()) {
            hang = new ArrayList<>(trace);
            for (int i = 0; i < kernels.size(); i++) {
                if (state.position[i] != LAST) {
                    hang.add(name(i) + " waits for ever"
                            + (state.position[i] == 5 ? " for epoch " + state.epoch[i] : ""));
                }
            }
        }
    }

    private String name(int i) {
        Kernel kernel = kernels.get(i);
        return "device " + kernel.device() + " call " + (char) ('A' + kernel.call());
    }

    private boolean ready(State state, int i) {
        Kernel kernel = kernels.get(i);
        return switch (state.position[i]) {
            case 0 -> {
                boolean first = true;
                for (int j = 0; j < i; j++) {
                    Kernel earlier = kernels.get(j);
                    first &= earlier.device() != kernel.device()
                            || earlier.stream() != kernel.stream()
                            || state.position[j] == LAST;
                }
                yield first && (!discipline.exclusive() || state.holder[kernel.device()] == 0);
            }
            case 5 -> state.flag[slot(kernel.device(), kernel.channel())] >= state.epoch[i];
            case LAST -> false;
            default -> true;
        };
    }

    private List<String> with(String last) {
        List<String> told = new ArrayList<>(trace);
        told.add(last);
        return told;
    }

    private static int slot(int device, int channel) {
        return device * CALLS + channel;
    }

    private static int word(int device, int channel, int epoch) {
        return slot(device, channel) * COPIES + epoch % COPIES;
    }

    private String advance(State state, int i) {
        Kernel kernel = kernels.get(i);
        int peer = 1 - kernel.device();
        int own = slot(kernel.device(), kernel.channel());
        String what;
        switch (state.position[i]++) {
            case 0 -> {
                state.holder[kernel.device()] = discipline.exclusive() ? i + 1 : 0;
                what = "starts";
            }
            case 1 -> {
                state.epoch[i] = state.counter[own] + 1;
                what = "reads the counter: its epoch is " + state.epoch[i];
            }
            case 2 -> {
                state.counter[own] = state.epoch[i];
                what = "stores the counter " + state.epoch[i];
            }
            case 3 -> {
                state.data[word(peer, kernel.channel(), state.epoch[i])] = kernel.call() + 1;
                what = "writes its data into the memory of device " + peer;
            }
            case 4 -> {
                int flag = slot(peer, kernel.channel());
                state.flag[flag] = state.epoch[i];
                what = "tells device " + peer + " epoch " + state.epoch[i];
            }
            case 5 -> what = "has awaited epoch " + state.epoch[i];
            default -> {
                int read = state.data[word(kernel.device(), kernel.channel(), state.epoch[i])];
                state.holder[kernel.device()] = 0;
                boolean other = read != kernel.call() + 1;
                String call = read == 0 ? "none" : String.valueOf((char) ('A' + read - 1));
                if (other && discipline.hasHeaders()) {
                    what = "finds the header of call " + call + " and ends with an error";
                    refusal = refusal.isEmpty() ? with(name(i) + " " + what) : refusal;
                } else {
                    what = "reads the data of call " + call;
                    mixUp = other && mixUp.isEmpty() ? with(name(i) + " " + what) : mixUp;
                }
            }
        }
        return name(i) + " " + what;
    }
}
