package io.lockstep.cli.ranks;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** One rank or more failed. The group is gone. */
public final class RanksFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @SuppressWarnings("serial") // Never written anywhere.
    private final List<RankFailure> failures;

    RanksFailedException(List<RankFailure> failures) {
        super(sentence(failures));
        this.failures = failures.stream()
                .sorted(Comparator.comparing(RankFailure::kind).thenComparingInt(RankFailure::rank))
                .toList();
    }

    /** Those that are known, the most telling first. */
    public List<RankFailure> failures() {
        return failures;
    }

    /** The most telling one. */
    public RankFailure first() {
        return failures.getFirst();
    }

    /** Most messages of ranks begin with who they are. */
    private static String named(RankFailure failure) {
        String message = failure.message();
        return message.startsWith("rank ")
                ? "Rank " + message.substring("rank ".length())
                : "Rank " + failure.rank() + ": " + message;
    }

    private static String sentence(List<RankFailure> failures) {
        return failures.stream()
                        .min(Comparator.comparing(RankFailure::kind).thenComparingInt(RankFailure::rank))
                        .map(RanksFailedException::named)
                        .orElse("A rank failed.")
                + failures.stream()
                        .map(RankFailure::rank)
                        .distinct()
                        .sorted()
                        .map(String::valueOf)
                        .collect(Collectors.collectingAndThen(
                                Collectors.toList(),
                                ranks -> ranks.size() == 1
                                        ? ""
                                        : " (Ranks that failed: " + String.join(", ", ranks) + ".)"));
    }
}
