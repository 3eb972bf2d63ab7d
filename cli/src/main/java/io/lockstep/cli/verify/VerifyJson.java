package io.lockstep.cli.verify;

import io.lockstep.cli.console.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What {@code --json} holds: one result for each shape and algorithm.
 *
 * @param schema changes when a reader has to change
 * @param command {@code verify}
 * @param verdict right, wrong, failed or skipped
 */
public record VerifyJson(
        int schema,
        String command,
        String verdict,
        int ranks,
        String ranksAs,
        String dtype,
        String backend,
        long seed,
        @Nullable String planted,
        double seconds,
        @Nullable String saved,
        List<Result> results) {

    /**
     * A line of the table.
     *
     * @param calls of this algorithm, in all iterations
     * @param maxAbsErr null where it is infinite, which JSON cannot say
     */
    public record Result(
            int tokens,
            int hidden,
            @Nullable String algorithm,
            int iterations,
            long calls,
            long wrongBits,
            long wrongElements,
            @Nullable Double maxAbsErr,
            @Nullable FirstBad firstBad,
            String verdict,
            @Nullable String reason) {}

    /** Puts it together. */
    public static VerifyJson of(VerifyOptions options, Verification found) {
        List<Result> results = new ArrayList<>();
        for (ShapeResult shape : found.results()) {
            if (shape.tallies().isEmpty()) {
                results.add(result(shape, null, Tally.RIGHT, word(shape.verdict())));
            }
            for (int i = 0; i < shape.tallies().size(); i++) {
                Tally tally = shape.tallies().get(i);
                results.add(result(shape, options.algorithms().get(i), tally, tally.right() ? "right" : "wrong"));
            }
        }
        String verdict = switch (found.status()) {
            case 0 -> "right";
            case 1 -> found.firstBad().isPresent() ? "wrong" : "failed";
            default -> found.failure() == null ? "skipped" : "failed";
        };
        return new VerifyJson(
                Json.SCHEMA,
                "verify",
                verdict,
                options.worldSize(),
                options.asProcesses() ? "processes" : "threads",
                options.dtype().label(),
                options.backend(),
                options.seed(),
                options.fault(),
                found.seconds(),
                found.saved(),
                List.copyOf(results));
    }

    private static Result result(ShapeResult shape, @Nullable String algorithm, Tally tally, String verdict) {
        return new Result(
                shape.shape().tokens(),
                shape.shape().hidden(),
                algorithm,
                shape.iterations(),
                shape.calls(),
                tally.wrongBits(),
                tally.wrongElements(),
                Double.isFinite(tally.maxAbsErr()) ? tally.maxAbsErr() : null,
                tally.firstBad(),
                verdict,
                shape.reason());
    }

    private static String word(ShapeResult.Verdict verdict) {
        return verdict.name().toLowerCase(Locale.ROOT);
    }
}
