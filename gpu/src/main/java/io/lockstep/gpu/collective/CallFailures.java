package io.lockstep.gpu.collective;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.LockstepException;
import io.lockstep.core.Operation;
import io.lockstep.core.PeerLostException;
import io.lockstep.core.group.Membership;
import io.lockstep.gpu.kernel.Exchange;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What a kernel reported, in sentences. */
final class CallFailures {
    private static final int CODE_BITS = 3;
    private static final int CODE_MASK = (1 << CODE_BITS) - 1;

    private final Membership membership;
    private final Duration timeout;
    private final String risk;

    /**
     * @param timeout of a call
     * @param risk what else a dead process may have cost, in a clause; empty where nothing
     */
    CallFailures(Membership membership, Duration timeout, String risk) {
        this.membership = membership;
        this.timeout = timeout;
        this.risk = risk;
    }

    /** The exception for a report that says something. */
    LockstepException of(CallReport report, int plan, Operation operation) {
        String where = "Rank " + membership.rank() + " in call " + Integer.toUnsignedString(report.epoch())
                + " of plan " + plan + " (" + operation.dtype() + ", hidden " + operation.hidden() + ", block "
                + report.block() + ")";
        if (report.what() == CallReport.OTHER_CALL) {
            return new DisagreementException("The ranks make different calls: " + where + " has "
                    + call(report.expected()) + ", and " + membership.describe(report.peer()) + " has "
                    + call(report.found()) + ". Make the same calls in the same order on every rank.");
        }
        String loss = lost();
        if (loss != null) {
            return loss(where + " awaited " + awaited(report) + ", and " + loss);
        }
        return new CollectiveTimeoutException(where + " waited " + seconds() + " for " + awaited(report)
                + ": see whether that rank is stopped, failed or makes fewer calls, or allow more time"
                + " (LOCKSTEP_TIMEOUT).");
    }

    /** The exception for a peer that is gone, as a clause says. */
    PeerLostException loss(String what) {
        return new PeerLostException(what + ": close the communicator and form a new group."
                + (risk.isEmpty() ? "" : " Here " + risk + "."));
    }

    /** Why the group is no longer whole; null while it is. */
    @Nullable
    String lost() {
        for (int peer = 0; peer < membership.worldSize(); peer++) {
            String loss = peer == membership.rank() ? null : membership.lost(peer);
            if (loss != null) {
                return loss;
            }
        }
        return null;
    }

    private String awaited(CallReport report) {
        String peer = report.peer() >= 0 && report.peer() < membership.worldSize()
                ? membership.describe(report.peer())
                : "a peer";
        return switch (report.what()) {
            case CallReport.NO_WORDS -> "rows of " + peer;
            case CallReport.NO_HEADER ->
                "the header of " + peer + " for " + call(report.expected()) + " (the last one came in its call "
                        + Integer.toUnsignedString(report.found()) + ")";
            case CallReport.NOT_REARMED ->
                "the end of call " + Integer.toUnsignedString(report.expected()) + " on " + peer
                        + " (the last one that ended there is " + Integer.toUnsignedString(report.found()) + ")";
            case CallReport.NO_FLAG ->
                "the flag of " + peer + " at a barrier (expected " + Integer.toUnsignedString(report.expected())
                        + ", found " + Integer.toUnsignedString(report.found()) + ")";
            default -> peer;
        };
    }

    private static String call(int fingerprint) {
        String exchange = Arrays.stream(Exchange.values())
                .filter(candidate -> candidate.code() == (fingerprint & CODE_MASK))
                .map(Exchange::label)
                .findFirst()
                .orElse("an unknown exchange");
        return (fingerprint >>> CODE_BITS) + " tokens by " + exchange;
    }

    private String seconds() {
        long milliseconds = timeout.toMillis();
        return milliseconds % 1000 == 0 ? milliseconds / 1000 + " s" : milliseconds + " ms";
    }
}
