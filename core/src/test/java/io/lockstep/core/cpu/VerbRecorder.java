package io.lockstep.core.cpu;

import io.lockstep.core.posix.RawMemory;
import io.lockstep.core.protocol.Verb;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What one rank really does to a plan's memory, taken from the addresses of its accesses and from the words and values
 * found there. Every element of the input of round r is r, so data say of which round they are.
 */
final class VerbRecorder {
    private record Access(Verb verb, int peer, long address) {}

    private record Place(String buffer, int rank, int copy) {}

    private final Setup setup;
    private final List<Access> accesses = new ArrayList<>();
    private final List<String> early = new ArrayList<>();
    private int claims;

    VerbRecorder(Setup setup) {
        this.setup = setup;
    }

    void publish(long address, long word) {
        Place place = place(address);
        if (place != null) {
            record(Verb.Kind.PUBLISH, place, (int) word, address);
        }
    }

    /** A poll. Of several polls of a word the last one counts. */
    void await(long address, long word) {
        Place place = place(address);
        if (place == null) {
            return;
        }
        if (!accesses.isEmpty()
                && accesses.getLast().address() == address
                && accesses.getLast().verb().kind() == Verb.Kind.AWAIT) {
            accesses.removeLast();
        }
        record(Verb.Kind.AWAIT, place, (int) word, address);
    }

    /** Data at an address that hold so many times the number of their round. */
    void data(Verb.Kind kind, long address, int times) {
        Place place = place(address);
        if (place != null && (kind == Verb.Kind.WRITE || place.rank() != setup.rank())) {
            float value = RawMemory.ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
            record(kind, place, Math.round(value / times), address);
        }
    }

    /** Lines of a slot are claimed: what lies there must have been read by every peer. */
    void claim(long address) {
        claims++;
        int slot = Objects.requireNonNull(place(address)).copy();
        int lies = last(Verb.Kind.WRITE, "staging", slot, setup.rank());
        for (int peer = 0; peer < setup.layout().worldSize(); peer++) {
            if (lies > 0 && peer != setup.rank()) {
                int sent = 0;
                for (int copy = 0; copy < PlanLayout.SLOTS; copy++) {
                    sent = Math.max(sent, last(Verb.Kind.AWAIT, "ready", copy, peer));
                }
                // A rank sends round r + 2 when it has finished round r.
                if (sent < lies + 2) {
                    early.add("round " + lies + " in slot " + slot + ", and rank " + peer + " has sent " + sent);
                }
            }
        }
    }

    private int last(Verb.Kind kind, String buffer, int copy, int rank) {
        return accesses.stream()
                .filter(access -> access.peer() == rank
                        && access.verb().kind() == kind
                        && access.verb().buffer().equals(buffer)
                        && access.verb().copy() == copy)
                .mapToInt(access -> access.verb().epoch())
                .max()
                .orElse(0);
    }

    /** How many rows were claimed. */
    int claims() {
        return claims;
    }

    /** The claims that came too early. */
    List<String> early() {
        return List.copyOf(early);
    }

    private void record(Verb.Kind kind, Place place, int epoch, long address) {
        accesses.add(new Access(new Verb(kind, place.buffer(), place.copy(), epoch), place.rank(), address));
    }

    private @Nullable Place place(long address) {
        long offset = address - setup.memory().address();
        if (offset < 0 || offset >= setup.memory().byteSize()) {
            return null;
        }
        PlanLayout layout = setup.layout();
        for (int rank = 0; rank < layout.worldSize(); rank++) {
            for (int slot = 0; slot < PlanLayout.SLOTS; slot++) {
                if (offset == layout.ready(rank, 0, slot)) {
                    return new Place("ready", rank, slot);
                }
                if (offset == layout.shared(rank, 0, slot)) {
                    return new Place("shared", rank, slot);
                }
                if (offset >= layout.staging(rank, 0, slot) && offset < layout.staging(rank, 0, slot + 1)) {
                    return new Place("staging", rank, slot);
                }
            }
            for (int slot = 0; slot < PlanLayout.REDUCED_SLOTS; slot++) {
                if (offset >= layout.reduced(rank, 0, slot) && offset < layout.reduced(rank, 0, slot + 1)) {
                    return new Place("reduced", rank, slot);
                }
            }
            if (offset >= layout.symmetric(rank) && offset < layout.symmetric(rank) + inputBytes(layout)) {
                return new Place("symmetric", rank, 0);
            }
            for (int buffer = 0; buffer < PlanLayout.LENT_BUFFERS; buffer++) {
                if (offset >= layout.lent(rank, buffer) && offset < layout.lent(rank, buffer + 1)) {
                    // Calls of a plan count from 0, rounds of a protocol from 1.
                    return new Place("lent", rank, (buffer + 1) % PlanLayout.LENT_BUFFERS);
                }
            }
        }
        return null;
    }

    private static long inputBytes(PlanLayout layout) {
        return layout.lent(0, 1) - layout.lent(0, 0);
    }

    /** What was recorded, one line a verb: the accesses of a step to several peers are one. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < accesses.size(); ) {
            Verb verb = accesses.get(i).verb();
            Set<Integer> peers = new TreeSet<>();
            while (i < accesses.size() && accesses.get(i).verb().equals(verb)) {
                peers.add(accesses.get(i).peer());
                i++;
            }
            lines.add(line(verb, peers));
        }
        return lines;
    }

    /** What a protocol asks of a rank, in the same form. */
    List<String> expected(List<Verb> verbs) {
        Set<Integer> own = Set.of(setup.rank());
        Set<Integer> others = new TreeSet<>();
        for (int rank = 0; rank < setup.layout().worldSize(); rank++) {
            if (rank != setup.rank()) {
                others.add(rank);
            }
        }
        return verbs.stream()
                .map(verb ->
                        line(verb, verb.kind() == Verb.Kind.PUBLISH || verb.kind() == Verb.Kind.WRITE ? own : others))
                .toList();
    }

    private static String line(Verb verb, Set<Integer> ranks) {
        return verb.kind() + " " + verb.buffer() + "#" + verb.copy() + " of round " + verb.epoch() + ", rank "
                + ranks.stream().map(String::valueOf).toList();
    }
}
