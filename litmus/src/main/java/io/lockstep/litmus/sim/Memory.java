package io.lockstep.litmus.sim;

import io.lockstep.core.protocol.Buffer;
import io.lockstep.core.protocol.Home;
import io.lockstep.core.protocol.Step;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;

/** The memory of all devices, buffer by buffer, and the caches through which they see it. */
final class Memory {
    private final Profile profile;
    private final Map<Buffer, Copy[]> copies = new LinkedHashMap<>();
    /** The buffers that their readers find in their own memory. */
    private final Set<Copy> local = new HashSet<>();

    private final Set<Copy> words = new HashSet<>();

    Memory(Simulation simulation, Rows rows) {
        profile = simulation.profile();
        for (Step step : simulation.protocol().steps()) {
            if (step instanceof Step.WriteData write) {
                add(write.buffer(), rows.routes(write.buffer()), write.home() == Home.PEERS, false);
            } else if (step instanceof Step.SendWords send) {
                add(send.words(), rows.routes(send.words()), true, true);
            }
        }
    }

    private void add(Buffer buffer, Routes routes, boolean isLocal, boolean isWords) {
        Copy[] turns = new Copy[buffer.copies()];
        for (int i = 0; i < turns.length; i++) {
            turns[i] = new Copy(routes);
            if (isLocal) {
                local.add(turns[i]);
            }
            if (isWords) {
                words.add(turns[i]);
            }
        }
        copies.put(buffer, turns);
    }

    /** The copy of a buffer that an iteration uses. */
    Copy copy(Buffer buffer, int iteration) {
        Copy[] turns = Objects.requireNonNull(copies.get(buffer));
        return turns[iteration % turns.length];
    }

    /** Whether a copy holds words, which no cache keeps. */
    boolean isWords(Copy copy) {
        return words.contains(copy);
    }

    /** Whether a device's second-level cache holds lines of its peers. */
    boolean cachesPeers() {
        return profile != Profile.HOME_L2;
    }

    /** A store reaches its home. */
    void arrive(Copy copy, Copy.Line line, int version) {
        line.home = version;
        boolean probes = !cachesPeers() || (profile == Profile.GFX942 && local.contains(copy));
        if (probes) {
            line.dropSecondLevel();
        }
    }

    void dropFirstLevel(Device device, List<Integer> waves) {
        forEachCopy(copy -> copy.dropFirstLevel(device.number, waves));
    }

    void keepFirstLevel(Device device, int wave) {
        forEachCopy(copy -> copy.keepFirstLevel(device.number, wave));
    }

    void dropSecondLevel(Device device) {
        forEachCopy(copy -> copy.dropSecondLevel(device.number));
    }

    void tidy() {
        forEachCopy(Copy::tidy);
    }

    private void forEachCopy(Consumer<Copy> action) {
        for (Copy[] turns : copies.values()) {
            for (Copy copy : turns) {
                action.accept(copy);
            }
        }
    }
}
