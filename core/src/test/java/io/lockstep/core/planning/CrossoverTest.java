package io.lockstep.core.planning;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.group.LocalGroup;
import io.lockstep.core.group.Membership;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CrossoverTest {
    private static final int MOST = 64;

    /** Two-shot takes half the time from some tokens on; each measurement takes a while. */
    private static final class Machine implements Crossover.Trial {
        private final int wins;
        private final long warmUpNanos;
        private final long nanos;
        private int rounds;
        private int measured;

        Machine(int wins, long warmUpNanos, long nanos) {
            this.wins = wins;
            this.warmUpNanos = warmUpNanos;
            this.nanos = nanos;
        }

        @Override
        public void warmUp() {
            rounds++;
            LockSupport.parkNanos(warmUpNanos);
        }

        @Override
        public int warmUps() {
            return 30;
        }

        @Override
        public double time(int tokens, Algorithm algorithm) {
            measured++;
            LockSupport.parkNanos(nanos);
            return algorithm == Algorithm.TWO_SHOT && tokens >= wins ? 1 : 2;
        }

        @Override
        public int unmeasured(int tokens) {
            return 1000 + tokens;
        }

        @Override
        public void close() {
            // Holds nothing.
        }
    }

    /** What both ranks find, under a name that nothing was kept for unless it was used before. */
    private static List<Integer> find(String circumstances, Machine... machines) {
        List<Membership> members = LocalGroup.create(2);
        Operation operation = Operation.allReduceResidualRmsNorm(DType.BF16, 64, MOST);
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<CompletableFuture<Integer>> ranks = IntStream.range(0, 2)
                    .mapToObj(rank -> CompletableFuture.supplyAsync(
                            () -> new Crossover(
                                            new Agreement(members.get(rank), Duration.ofSeconds(20)),
                                            rank,
                                            operation,
                                            circumstances)
                                    .find(MOST, tokens -> machines[rank]),
                            threads))
                    .toList();
            return ranks.stream().map(CompletableFuture::join).toList();
        } finally {
            members.forEach(Membership::close);
        }
    }

    @Test
    void isWhereTwoShotBeginsToWinAndIsKept() {
        String name = UUID.randomUUID().toString();
        assertThat(find(name, new Machine(16, 0, 0), new Machine(4, 0, 0))).containsExactly(16, 16);
        Machine again = new Machine(2, 0, 0);
        assertThat(find(name, again, new Machine(2, 0, 0))).containsExactly(16, 16);
        assertThat(again.measured).as("measurements the second time").isZero();
    }

    @Test
    void isAGuessWhereTimeRunsOutAndIsMeasuredAgainTheNextTime() {
        String name = UUID.randomUUID().toString();
        Machine slow = new Machine(16, 0, 300_000_000L);
        assertThat(find(name, slow, new Machine(16, 0, 0))).allMatch(crossover -> crossover > 1000);
        assertThat(find(name, new Machine(16, 0, 0), new Machine(16, 0, 0))).containsExactly(16, 16);
    }

    /** In a young process two-shot may seem the faster one since the compiler has not come to one-shot yet. */
    @Test
    void isAGuessWhereTheWarmUpTakesTooLongAndNothingIsMeasured() {
        String name = UUID.randomUUID().toString();
        Machine cold = new Machine(16, 300_000_000L, 0);
        assertThat(find(name, cold, new Machine(16, 0, 0))).containsExactly(1000, 1000);
        assertThat(cold.rounds).as("rounds of warm-up").isLessThan(5);
        assertThat(cold.measured).isZero();
        assertThat(find(name, new Machine(16, 0, 0), new Machine(16, 0, 0))).containsExactly(16, 16);
    }
}
