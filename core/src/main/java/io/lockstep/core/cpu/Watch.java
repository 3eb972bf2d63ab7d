package io.lockstep.core.cpu;

import io.lockstep.core.DisagreementException;
import org.jspecify.annotations.Nullable;

/** What a waiting lane asks about the rest of the group, in about every millisecond. */
interface Watch {
    /**
     * The exception that ends the wait, or null. Looks at every rank, since the awaited one may itself wait for one
     * that is gone.
     */
    @Nullable
    RuntimeException whyNotWait(int peer);

    /** The awaited rank makes another call than this one. */
    DisagreementException disagreement(int peer);

    /** This rank and its call, for messages. */
    String where();

    /** A rank, for messages. */
    String describe(int peer);

    /** What a rank did last, for messages. */
    String lastHeard(int peer);
}
