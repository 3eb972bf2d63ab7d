package io.lockstep.cli.ranks;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.DriverException;
import io.lockstep.core.PeerLostException;
import io.lockstep.core.UsageException;
import java.io.PrintWriter;
import java.io.StringWriter;

/**
 * Why a rank could not carry an order out.
 *
 * @param rank which
 * @param kind what kind of failure
 * @param message a sentence
 * @param trace where, for {@code --verbose}
 */
public record RankFailure(int rank, Kind kind, String message, String trace) {
    /** Kinds, those that tell most about the cause first: a rank that lost a peer says less than the peer. */
    public enum Kind {
        /** The process ended on its own or was killed. */
        DIED,
        /** The machine lacks something. */
        DRIVER,
        /** The call was wrong. */
        USAGE,
        /** A fault of the program. */
        BUG,
        /** Ranks ask for different things. */
        DISAGREEMENT,
        /** Nothing was heard of the rank. */
        SILENT,
        /** Another rank did not come. */
        TIMEOUT,
        /** Another rank went. */
        PEER_LOST
    }

    static RankFailure of(int rank, Throwable failure) {
        Kind kind = switch (failure) {
            case DriverException ignored -> Kind.DRIVER;
            case UsageException ignored -> Kind.USAGE;
            case DisagreementException ignored -> Kind.DISAGREEMENT;
            case CollectiveTimeoutException ignored -> Kind.TIMEOUT;
            case PeerLostException ignored -> Kind.PEER_LOST;
            case OutOfMemoryError ignored -> Kind.DRIVER;
            default -> Kind.BUG;
        };
        StringWriter trace = new StringWriter();
        failure.printStackTrace(new PrintWriter(trace));
        String message = kind == Kind.BUG || failure instanceof OutOfMemoryError
                ? failure.toString()
                : String.valueOf(failure.getMessage());
        return new RankFailure(rank, kind, message, trace.toString());
    }
}
