package io.lockstep.cli.verify;

import io.lockstep.cli.console.ExitStatus;
import io.lockstep.cli.ranks.RankFailure;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What {@code verify} found.
 *
 * @param results a line or more for each shape, in the order they ran
 * @param failure why it ended early, where it did
 * @param saved the file with the first wrong call, where one was asked for and written
 * @param seconds how long it took
 */
public record Verification(
        List<ShapeResult> results,
        @Nullable RankFailure failure,
        @Nullable String saved,
        double seconds) {

    /** The exit code. */
    public int status() {
        if (results.stream().anyMatch(result -> result.verdict() == ShapeResult.Verdict.WRONG)) {
            return ExitStatus.WRONG;
        }
        if (failure != null) {
            return switch (failure.kind()) {
                // The ranks ran, and a call that had to succeed did not.
                case DISAGREEMENT, SILENT, TIMEOUT, PEER_LOST -> ExitStatus.WRONG;
                case USAGE -> ExitStatus.USAGE;
                case DIED, DRIVER, BUG -> ExitStatus.CANNOT_RUN;
            };
        }
        boolean anyRight = results.stream().anyMatch(result -> result.verdict() == ShapeResult.Verdict.RIGHT);
        return anyRight ? ExitStatus.RIGHT : ExitStatus.CANNOT_RUN;
    }

    /** The first wrong element of all. */
    public Optional<FirstBad> firstBad() {
        return results.stream()
                .flatMap(result -> result.tallies().stream())
                .flatMap(tally -> Optional.ofNullable(tally.firstBad()).stream())
                .findFirst();
    }
}
