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
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CrossoverTest {
    private static final int MOST = 64;

    /** Two-shot takes half the time for some tokens; each measurement takes a while. */
    private static final class Machine implements Crossover.Trial {
        private final IntPredicate wins;
        private final long warmUpNanos;
        private final long nanos;
        private int rounds;
        private int measured;

        Machine(IntPredicate wins, long warmUpNanos, long nanos) {
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
            return algorithm == Algorithm.TWO_SHOT && wins.test(tokens) ? 1 : 2;
        }

        @Override
        public boolean unmeasured(int tokens) {
            return tokens >= 32;
        }

        @Override
        public void close() {
            // Holds nothing.
        }
    }

    /** What both ranks find, under a name that nothing was kept for unless it was used before. */
    private static List<String> find(String circumstances, Machine... machines) {
        List<Membership> members = LocalGroup.create(2);
        Operation operation = Operation.allReduceResidualRmsNorm(DType.BF16, 64, MOST);
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<CompletableFuture<Choice>> ranks = IntStream.range(0, 2)
                    .mapToObj(rank -> CompletableFuture.supplyAsync(
                            () -> new Crossover(
                                            new Agreement(members.get(rank), Duration.ofSeconds(20)),
                                            rank,
                                            operation,
                                            circumstances)
                                    .find(MOST, tokens -> machines[rank]),
                            threads))
                    .toList();
            return ranks.stream().map(rank -> text(rank.join())).toList();
        } finally {
            members.forEach(Membership::close);
        }
    }

    /** The answers for 1, 2, 4 … 64 and for more tokens: 1 and 2 are the algorithms. */
    private static String text(Choice choice) {
        return IntStream.of(1, 3, 4, 8, 31, 32, 64, 1 << 20)
                .mapToObj(tokens -> choice.of(tokens) == Algorithm.ONE_SHOT ? "1" : "2")
                .collect(Collectors.joining());
    }

    private static Machine from(int tokens) {
        return new Machine(t -> t >= tokens, 0, 0);
    }

    @Test
    void isWhereTwoShotBeginsToWinAndIsKept() {
        String name = UUID.randomUUID().toString();
        assertThat(find(name, from(16), from(4))).containsExactly("11112222", "11112222");
        Machine again = from(2);
        assertThat(find(name, again, from(2))).containsExactly("11112222", "11112222");
        assertThat(again.measured).as("measurements the second time").isZero();
    }

    /** On two GPUs it does so at 128 rows, and neither at 64 nor at 512. */
    @Test
    void twoShotMayWinForSomeTokensAndNotForMore() {
        Machine machine = new Machine(tokens -> tokens == 4 || tokens == 8, 0, 0);
        assertThat(find(UUID.randomUUID().toString(), machine, from(1))).containsExactly("11221111", "11221111");
        assertThat(machine.measured).as("sizes measured, twice each").isEqualTo(14);
    }

    @Test
    void isAGuessWhereTimeRunsOutAndIsMeasuredAgainTheNextTime() {
        String name = UUID.randomUUID().toString();
        Machine slow = new Machine(tokens -> tokens >= 16, 0, 300_000_000L);
        assertThat(find(name, slow, from(16))).containsExactly("11111222", "11111222");
        assertThat(find(name, from(16), from(16))).containsExactly("11112222", "11112222");
    }

    @Test
    void whatWasWonLastIsTakenForMoreWhereTimeRunsOut() {
        Machine slow = new Machine(tokens -> tokens >= 1, 0, 300_000_000L);
        assertThat(find(UUID.randomUUID().toString(), slow, from(16))).containsExactly("22222222", "22222222");
    }

    /** In a young process two-shot may seem the faster one since the compiler has not come to one-shot yet. */
    @Test
    void isAGuessWhereTheWarmUpTakesTooLongAndNothingIsMeasured() {
        String name = UUID.randomUUID().toString();
        Machine cold = new Machine(tokens -> tokens >= 16, 300_000_000L, 0);
        assertThat(find(name, cold, from(16))).containsExactly("11111222", "11111222");
        assertThat(cold.rounds).as("rounds of warm-up").isLessThan(5);
        assertThat(cold.measured).isZero();
        assertThat(find(name, from(16), from(16))).containsExactly("11112222", "11112222");
    }
}
