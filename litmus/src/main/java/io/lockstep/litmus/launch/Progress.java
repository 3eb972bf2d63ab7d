package io.lockstep.litmus.launch;

import io.lockstep.core.protocol.Buffer;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Whether ranks that await one exact epoch can miss it. One rank sleeps just before an await while all others go as far
 * as they can; a slot that then holds a later epoch has been told over, and the sleeper waits for ever. How far the
 * others come does not depend on the order in which they move, so one run for each place to sleep tries everything.
 */
public final class Progress {
    private record Slot(String flags, int copy, int home, int writer) {}

    private record Action(Step step, int round) {}

    private final Protocol protocol;
    private final int ranks;
    private final List<Action> actions = new ArrayList<>();
    private final Map<Slot, Integer> slots = new HashMap<>();
    private final int[] position;

    private Progress(Protocol protocol, int ranks, int rounds) {
        this.protocol = protocol;
        this.ranks = ranks;
        this.position = new int[ranks];
        for (int at = 1 - protocol.lookAhead(); at <= rounds; at++) {
            for (Step step : protocol.steps()) {
                int round = at + step.ahead();
                if (round >= 1 && round <= rounds) {
                    actions.add(new Action(step, round));
                }
            }
        }
    }

    /** Whether some rank can wait for ever, with all of them making the same calls. */
    public static boolean hangs(Protocol protocol, int ranks, int rounds) {
        int count = new Progress(protocol, ranks, rounds).actions.size();
        for (int asleep = 0; asleep < count; asleep++) {
            Progress progress = new Progress(protocol, ranks, rounds);
            progress.run(asleep);
            progress.run(count);
            for (int rank = 0; rank < ranks; rank++) {
                if (progress.position[rank] < count) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Moves every rank as far as it comes, rank 0 no further than an action. */
    private void run(int limitOfFirst) {
        boolean moved = true;
        while (moved) {
            moved = false;
            for (int rank = 0; rank < ranks; rank++) {
                int limit = rank == 0 ? limitOfFirst : actions.size();
                while (position[rank] < limit && ready(rank, actions.get(position[rank]))) {
                    perform(rank, actions.get(position[rank]));
                    position[rank]++;
                    moved = true;
                }
            }
        }
    }

    private boolean ready(int rank, Action action) {
        if (!(action.step() instanceof Step.AwaitFlag await)) {
            return true;
        }
        int epoch = await.epoch().of(action.round());
        for (int peer = 0; peer < ranks; peer++) {
            if (peer != rank && epoch >= 1) {
                int told = slots.getOrDefault(slot(await.flags(), action.round(), rank, peer), 0);
                boolean there = await.comparison() == Step.Comparison.EXACTLY ? told == epoch : told >= epoch;
                if (!there) {
                    return false;
                }
            }
        }
        return true;
    }

    private void perform(int rank, Action action) {
        if (action.step() instanceof Step.StoreFlag store) {
            int epoch = store.epoch().of(action.round());
            for (int peer = 0; peer < ranks; peer++) {
                if (peer != rank && epoch >= 1) {
                    slots.put(slot(store.flags(), action.round(), peer, rank), epoch);
                }
            }
        }
    }

    private static Slot slot(Buffer flags, int round, int home, int writer) {
        return new Slot(flags.name(), round % flags.copies(), home, writer);
    }

    @Override
    public String toString() {
        return protocol.name() + " with " + ranks + " ranks";
    }
}
