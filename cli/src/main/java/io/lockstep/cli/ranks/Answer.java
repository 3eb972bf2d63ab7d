package io.lockstep.cli.ranks;

import org.jspecify.annotations.Nullable;

/**
 * What comes from a rank: a sign of life, a report, or its failure.
 *
 * @param rank which rank
 * @param done how much of the order is done, in a sign of life
 * @param report what it found
 * @param failure why it could not
 */
record Answer<R>(
        int rank, double done, @Nullable R report, @Nullable RankFailure failure) {
    static <R> Answer<R> alive(int rank, double done) {
        return new Answer<>(rank, done, null, null);
    }

    static <R> Answer<R> report(int rank, R report) {
        return new Answer<>(rank, 1, report, null);
    }

    static <R> Answer<R> failure(RankFailure failure) {
        return new Answer<>(failure.rank(), 0, null, failure);
    }
}
