package io.lockstep.core.group;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.PeerLostException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A rank's place in a complete group. {@link #allGather} is collective and made by one thread at a time; {@link #lost}
 * and {@link #describe} may be asked by any thread at any time. An interrupt cuts no wait short; the deadlines do.
 */
public interface Membership extends AutoCloseable {
    /** The most bytes that a message to {@link #allGather} may have. */
    int MOST_MESSAGE_BYTES = 64 * 1024;

    /** This rank. */
    int rank();

    /** The number of ranks. */
    int worldSize();

    /** The group's one anonymous segment. */
    SharedMemory memory();

    /**
     * Gives one message to every rank and takes one from every rank. Collective. After a failure the group is of no
     * further use.
     *
     * @param what what is exchanged, in a few words for messages; the same on every rank
     * @param mine at most {@link #MOST_MESSAGE_BYTES}
     * @return the message of every rank, this one's too, by rank
     * @throws PeerLostException if a rank died or left before its message came; it is named
     * @throws CollectiveTimeoutException if messages are missing after the timeout; it names their ranks
     * @throws DisagreementException if another rank exchanges something else
     */
    byte[][] allGather(String what, byte[] mine, Duration timeout);

    /**
     * Whether a rank is gone. Never blocks and costs one system call at most, so that a waiter can ask every
     * millisecond.
     *
     * @return null while the peer is there, else a sentence without its full stop, such as "rank 2 (pid 4711) ended"
     */
    @Nullable
    String lost(int peer);

    /** The rank as messages name it, such as "rank 2 (pid 4711)". */
    String describe(int peer);

    /**
     * Says goodbye and releases everything but the mappings, which belong to their arenas. Does nothing the second
     * time.
     */
    @Override
    void close();
}
