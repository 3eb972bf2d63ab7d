package io.lockstep.core.planning;

import io.lockstep.core.DisagreementException;
import io.lockstep.core.group.Membership;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What ranks tell one another when they open a group or plan an operation: short texts, one from each. */
public final class Agreement {
    private final Membership membership;
    private final Duration timeout;

    public Agreement(Membership membership, Duration timeout) {
        this.membership = membership;
        this.timeout = timeout;
    }

    /** The text of every rank, by rank. */
    public List<String> gather(String what, String mine) {
        List<String> all = new ArrayList<>();
        for (byte[] message : membership.allGather(what, mine.getBytes(StandardCharsets.UTF_8), timeout)) {
            all.add(new String(message, StandardCharsets.UTF_8));
        }
        return all;
    }

    /** The text of rank 0; what the others say is of no account. */
    public String decide(String what, String mine) {
        return gather(what, mine).getFirst();
    }

    /** Fails on every rank if the texts differ, with two of them. */
    public void requireSame(String what, String mine) {
        List<String> all = gather(what, mine);
        for (int rank = 1; rank < all.size(); rank++) {
            if (!all.get(rank).equals(all.getFirst())) {
                throw new DisagreementException(
                        "The ranks disagree on " + what + ": " + membership.describe(0) + " says "
                                + all.getFirst() + "; " + membership.describe(rank) + " says " + all.get(rank)
                                + ". Make both the same.");
            }
        }
    }
}
