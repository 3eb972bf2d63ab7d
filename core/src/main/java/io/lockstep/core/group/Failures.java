package io.lockstep.core.group;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.PeerLostException;
import io.lockstep.core.UsageException;
import java.util.List;

/** The failures of an exchange, worded the same for processes and for threads. */
final class Failures {
    private Failures() {}

    static IllegalArgumentException tooLong(String what, int bytes) {
        return new IllegalArgumentException("The message of " + bytes + " bytes for '" + what + "': expected at most "
                + Membership.MOST_MESSAGE_BYTES + ".");
    }

    static PeerLostException lost(Membership here, String what, String loss) {
        return new PeerLostException("Rank " + here.rank() + " awaited " + what + " of every rank, and " + loss
                + ": close the communicator and form a new group.");
    }

    static CollectiveTimeoutException late(Membership here, String what, Deadline deadline, List<Integer> missing) {
        return new CollectiveTimeoutException("Rank " + here.rank() + " waited " + deadline + " for " + what + " of "
                + Names.list(missing.stream().map(here::describe).toList())
                + (missing.size() == 1 ? ", which still runs" : ", which still run")
                + " but did not come: see what is stopped or busy, or allow more time.");
    }

    static DisagreementException different(Membership here, int number, String what, int peer, Packets.Gather found) {
        return new DisagreementException("Rank " + here.rank() + " exchanges " + what + " (exchange " + number
                + "), and " + here.describe(peer) + " exchanges " + found.what() + " (exchange " + found.number()
                + "): make the same calls in the same order on every rank.");
    }

    static UsageException closed(Membership here) {
        return new UsageException("Rank " + here.rank() + " has closed its communicator: join again.");
    }

    static UsageException broken(Membership here, String earlier) {
        return new UsageException("The group of rank " + here.rank()
                + " failed before: close the communicator and join again. It failed so: " + earlier);
    }

    /** "rank 2 (pid 4711) closed its communicator because rank 1 (pid 4710) ended". */
    static String left(String peer, String why) {
        return peer + " closed its communicator" + (why.isEmpty() ? "" : " because " + why);
    }

    /** What a rank that leaves after such a timeout tells the others. */
    static String late(Membership here, Deadline deadline, List<Integer> missing) {
        return Names.list(missing.stream().map(here::describe).toList()) + " did not come within " + deadline;
    }
}
