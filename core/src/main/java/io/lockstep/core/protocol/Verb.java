package io.lockstep.core.protocol;

import java.util.ArrayList;
import java.util.List;

/**
 * One ordered access of one rank, as a backend written by hand performs it: what a test records, to compare it with
 * what the protocol asks for. Accesses to several peers in one step count as one verb.
 *
 * @param kind what is done
 * @param buffer on which buffer
 * @param copy which copy of it
 * @param epoch the epoch told or awaited, and for data the round
 */
public record Verb(Kind kind, String buffer, int copy, int epoch) {
    /** The vocabulary. */
    public enum Kind {
        /** Store an epoch with release order, visible to all. */
        PUBLISH,
        /** Poll an epoch with acquire order. */
        AWAIT,
        /** Write data. */
        WRITE,
        /** Read the peers' data. */
        READ
    }

    /**
     * What one rank does in some rounds that one call makes, in order.
     *
     * @param protocol a CPU protocol
     * @param first the first round of the call, from 1
     * @param last the last round of the call
     * @throws IllegalArgumentException if the protocol has steps that are none of the vocabulary
     */
    public static List<Verb> of(Protocol protocol, int first, int last) {
        List<Verb> verbs = new ArrayList<>();
        for (int at = first - protocol.lookAhead(); at <= last; at++) {
            for (Step step : protocol.steps()) {
                int round = at + step.ahead();
                if (round >= first && round <= last) {
                    verbs.add(of(protocol, step, round));
                }
            }
        }
        return List.copyOf(verbs);
    }

    private static Verb of(Protocol protocol, Step step, int round) {
        return switch (step) {
            case Step.StoreFlag store -> {
                require(protocol, store.order() == Order.RELEASE && store.scope() == Scope.SYSTEM);
                yield verb(Kind.PUBLISH, store.flags(), round, store.epoch().of(round));
            }
            case Step.AwaitFlag await -> {
                require(protocol, await.order() == Order.ACQUIRE && await.scope() == Scope.SYSTEM);
                yield verb(Kind.AWAIT, await.flags(), round, await.epoch().of(round));
            }
            case Step.WriteData write -> verb(Kind.WRITE, write.buffer(), round, round);
            case Step.ReadData read -> verb(Kind.READ, read.buffer(), round, round);
            default -> throw refusal(protocol);
        };
    }

    private static Verb verb(Kind kind, Buffer buffer, int round, int epoch) {
        return new Verb(kind, buffer.name(), round % buffer.copies(), epoch);
    }

    private static void require(Protocol protocol, boolean holds) {
        if (!holds) {
            throw refusal(protocol);
        }
    }

    private static IllegalArgumentException refusal(Protocol protocol) {
        return new IllegalArgumentException(
                "The protocol " + protocol.name() + " has steps other than publish, await, write and read.");
    }
}
