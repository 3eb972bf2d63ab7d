package io.lockstep.cli.ranks;

import io.lockstep.core.GroupSpec;
import java.time.Duration;

/** The first line that a rank's process reads: who it is. */
public record RankSetup(
        String group,
        int rank,
        int worldSize,
        String backend,
        int threads,
        boolean bindThreads,
        long joinTimeoutMillis,
        long callTimeoutMillis) {

    static RankSetup of(GroupSpec spec, int rank) {
        return new RankSetup(
                spec.group(),
                rank,
                spec.worldSize(),
                spec.backend(),
                spec.threads(),
                spec.bindThreads(),
                spec.joinTimeout().toMillis(),
                spec.callTimeout().toMillis());
    }

    GroupSpec spec() {
        return new GroupSpec(
                group,
                rank,
                worldSize,
                backend,
                threads,
                bindThreads,
                Duration.ofMillis(joinTimeoutMillis),
                Duration.ofMillis(callTimeoutMillis));
    }
}
