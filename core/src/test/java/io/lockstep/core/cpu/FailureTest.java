package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.Algorithm;
import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.Operation;
import io.lockstep.core.PeerLostException;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.UsageException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a rank does wrong is told to every other rank, by name and in time, and the process goes on. */
@Timeout(30)
class FailureTest {
    private static final Operation OPERATION =
            Operation.allReduceResidualRmsNorm(DType.BF16, 264, 600).withAlgorithm(Algorithm.ONE_SHOT);
    private static final Duration DEADLINE = Duration.ofMillis(500);

    private List<Communicator> group = List.of();

    private List<Communicator> open(int world) {
        group = Communicator.threads(Ranks.spec(world).withThreads(2).withCallTimeout(DEADLINE));
        return group;
    }

    @AfterEach
    void theProcessFormsANewGroup() {
        group.forEach(Communicator::close);
        Ranks.run(Ranks.spec(2), communicator -> {
            try (Plan plan = communicator.plan(OPERATION)) {
                call(plan, communicator, 3, 1);
            }
        });
    }

    private static void call(Plan plan, Communicator communicator, int tokens, long seed) {
        new OneCall(plan, communicator.worldSize(), communicator.rank(), tokens, seed, Layer.Mix.ORDINARY)
                .run("call of seed " + seed, Place.NATIVE, Place.NATIVE, false);
    }

    @ParameterizedTest
    @EnumSource(
            value = Algorithm.class,
            names = {"ONE_SHOT", "TWO_SHOT"})
    void aRankThatNeverCallsIsNamedWithinTheDeadline(Algorithm algorithm) {
        List<Throwable> failures = Ranks.run(open(3), communicator -> {
            Plan plan = communicator.plan(OPERATION.withAlgorithm(algorithm));
            call(plan, communicator, 7, 1);
            if (communicator.rank() != 1) {
                long start = System.nanoTime();
                try {
                    call(plan, communicator, 5, 2);
                } finally {
                    assertThat(Duration.ofNanos(System.nanoTime() - start))
                            .isBetween(DEADLINE.minusMillis(50), DEADLINE.plusMillis(1000));
                }
            }
        });
        assertThat(failures)
                .hasSize(2)
                .allSatisfy(failure -> assertThat(failure)
                        .isInstanceOf(CollectiveTimeoutException.class)
                        .hasMessageContainingAll(
                                "in call 2 (plan 1, 5 tokens)",
                                "the input of rank 1",
                                "last began call 1 (plan 1, 7 tokens)"));
    }

    @ParameterizedTest(name = "{0} tokens beside 1")
    @ValueSource(ints = {2, 600})
    void ranksWithOtherTokensDisagreeOnEveryRank(int tokens) {
        List<Throwable> failures = Ranks.run(open(3), communicator -> {
            Plan plan = communicator.plan(OPERATION);
            call(plan, communicator, 1, 1);
            call(plan, communicator, communicator.rank() == 1 ? tokens : 1, 2);
        });
        assertThat(failures)
                .hasSize(3)
                .allSatisfy(failure -> assertThat(failure)
                        .isInstanceOf(DisagreementException.class)
                        .hasMessageContainingAll("call 2", " 1 tokens", tokens + " tokens"));
    }

    @Test
    void ranksInCallsOfOtherPlansDisagreeOnEveryRank() {
        List<Throwable> failures = Ranks.run(open(3), communicator -> {
            Plan one = communicator.plan(OPERATION);
            Plan two = communicator.plan(OPERATION);
            call(communicator.rank() == 2 ? two : one, communicator, 4, 1);
        });
        assertThat(failures)
                .hasSize(3)
                .allSatisfy(failure -> assertThat(failure)
                        .isInstanceOf(DisagreementException.class)
                        .hasMessageContainingAll("plan 1", "plan 2"));
    }

    @Test
    void ranksThatPlanOtherThingsDisagreeOnEveryRank() {
        List<Operation> others = List.of(
                OPERATION.withEpsilon(0.5f),
                OPERATION.withResidual(false),
                OPERATION.withAlgorithm(Algorithm.TWO_SHOT),
                Operation.allReduceResidualRmsNorm(DType.FP16, 264, 600).withAlgorithm(Algorithm.ONE_SHOT),
                Operation.allReduceResidualRmsNorm(DType.BF16, 265, 600).withAlgorithm(Algorithm.ONE_SHOT),
                Operation.allReduceResidualRmsNorm(DType.BF16, 264, 601).withAlgorithm(Algorithm.ONE_SHOT));
        for (Operation other : others) {
            List<Throwable> failures = Ranks.run(open(3), communicator -> {
                Plan unused = communicator.plan(communicator.rank() == 1 ? other : OPERATION);
                assertThat(unused).as("no plan of ranks that disagree").isNull();
            });
            assertThat(failures)
                    .hasSize(3)
                    .allSatisfy(failure -> assertThat(failure)
                            .isInstanceOf(DisagreementException.class)
                            .hasMessageContainingAll(OPERATION.toString(), other.toString(), "rank 0", "rank 1"));
            group.forEach(Communicator::close);
        }
    }

    @Test
    void aRankThatClosesIsLostToTheOthers() {
        List<Throwable> failures = Ranks.run(open(3), communicator -> {
            Plan plan = communicator.plan(OPERATION);
            call(plan, communicator, 2, 1);
            if (communicator.rank() == 2) {
                communicator.close();
            } else {
                call(plan, communicator, 2, 2);
            }
        });
        assertThat(failures)
                .hasSize(2)
                .allSatisfy(failure -> assertThat(failure)
                        .isInstanceOf(PeerLostException.class)
                        .hasMessageContainingAll("in call 2 (plan 1, 2 tokens)", "rank 2", "closed"));
    }

    @Test
    void aRankThatGivesUpAndLeavesDoesNotHideTheOneThatNeverCame() {
        List<Throwable> failures = Ranks.run(open(3), communicator -> {
            Plan plan = communicator.plan(OPERATION);
            if (communicator.rank() == 2) {
                return;
            }
            if (communicator.rank() == 1) {
                Thread.sleep(DEADLINE.toMillis() / 2);
            }
            Tensors tensors = new Layer(OPERATION, 3, 2, 1, Layer.Mix.ORDINARY).tensors(Arena.ofAuto(), 0);
            try {
                plan.run(2, tensors);
            } finally {
                communicator.close();
            }
        });
        assertThat(failures)
                .hasSize(2)
                .allSatisfy(failure -> assertThat(failure)
                        .isInstanceOf(CollectiveTimeoutException.class)
                        .hasMessageContaining("the input of rank 2"));
    }

    @Test
    void aFailedCommunicatorIsRefusedWithTheEarlierReason() {
        open(2);
        List<Throwable> failures = Ranks.run(group, communicator -> {
            Plan plan = communicator.plan(OPERATION);
            if (communicator.rank() == 0) {
                assertThatThrownBy(() -> call(plan, communicator, 2, 1)).isInstanceOf(CollectiveTimeoutException.class);
                String earlier = "the input of rank 1";
                assertUsage(() -> call(plan, communicator, 2, 1), "failed earlier", earlier);
                assertUsage(() -> plan.input(), "failed earlier", earlier);
                assertUsage(() -> communicator.plan(OPERATION), "failed earlier", earlier);
                plan.close();
                assertUsage(() -> communicator.allReduce(MemorySegment.NULL, DType.BF16, 1), earlier);
            }
        });
        assertThat(failures).isEmpty();
    }

    @Test
    void aClosedCommunicatorAndAClosedPlanAreRefused() {
        List<Throwable> failures = Ranks.run(open(2), communicator -> {
            Plan closed = communicator.plan(OPERATION);
            Plan plan = communicator.plan(OPERATION);
            closed.close();
            closed.close();
            assertUsage(() -> call(closed, communicator, 1, 1), "plan is closed");
            assertUsage(closed::input, "plan is closed");
            call(plan, communicator, 1, 1);
            communicator.close();
            communicator.close();
            assertUsage(() -> call(plan, communicator, 1, 1), "communicator is closed");
            assertUsage(plan::input, "communicator is closed");
            assertUsage(() -> communicator.plan(OPERATION), "communicator is closed");
            plan.close();
        });
        assertThat(failures).isEmpty();
    }

    @Test
    void aSecondThreadIsRefusedAndTheFirstCallUnharmed() throws Exception {
        group = Communicator.threads(Ranks.spec(2));
        CountDownLatch refused = new CountDownLatch(1);
        List<Throwable> failures = Ranks.run(group, communicator -> {
            Plan plan = communicator.plan(OPERATION);
            Plan idle = communicator.plan(OPERATION);
            if (communicator.rank() == 1) {
                assertThat(refused.await(10, TimeUnit.SECONDS)).isTrue();
                call(plan, communicator, 300, 1);
                return;
            }
            try (ExecutorService second = Executors.newSingleThreadExecutor();
                    Arena arena = Arena.ofShared()) {
                Tensors tensors = new Layer(OPERATION, 2, 300, 9, Layer.Mix.ORDINARY).tensors(arena, 0);
                Thread caller = Thread.currentThread();
                Future<?> refusals = second.submit(() -> {
                    awaitWaiting(caller);
                    assertUsage(() -> plan.run(300, tensors), "second thread");
                    assertUsage(() -> communicator.plan(OPERATION), "second thread");
                    assertUsage(() -> communicator.allReduce(arena.allocate(2), DType.BF16, 1), "second thread");
                    assertUsage(plan::close, "another thread");
                    assertUsage(idle::close, "another thread");
                    assertUsage(communicator::close, "another thread");
                    refused.countDown();
                    return null;
                });
                call(plan, communicator, 300, 1);
                refusals.get();
            } finally {
                refused.countDown();
            }
        });
        assertThat(failures).isEmpty();
    }

    /**
     * Returns when a thread waits for another rank. Looks on from outside: to ask the communicator would be a use of
     * it.
     */
    private static void awaitWaiting(Thread caller) throws InterruptedException {
        while (Arrays.stream(caller.getStackTrace())
                .noneMatch(frame -> frame.getClassName().equals(Waiter.class.getName()))) {
            Thread.sleep(1);
        }
    }

    @Test
    void theCommunicatorTakesItsPlansAlong() {
        List<Throwable> failures = Ranks.run(open(2), communicator -> {
            Plan plan = communicator.plan(OPERATION);
            MemorySegment lent = plan.input().segment();
            call(plan, communicator, 1, 1);
            communicator.close();
            assertThat(lent.scope().isAlive()).isFalse();
        });
        assertThat(failures).isEmpty();
    }

    @Test
    void twoGroupsRunAtOnce() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<?>> both = new ArrayList<>();
            for (int g = 0; g < 2; g++) {
                long seed = 1000L * g;
                both.add(threads.submit(() -> Ranks.run(Ranks.spec(2), communicator -> {
                    try (Plan plan = communicator.plan(OPERATION)) {
                        for (int i = 0; i < 100; i++) {
                            call(plan, communicator, 1 + i % 40, seed + i);
                        }
                    }
                })));
            }
            for (Future<?> one : both) {
                one.get();
            }
        }
    }

    private static void assertUsage(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call).isInstanceOf(UsageException.class).hasMessageContainingAll(parts);
    }
}
