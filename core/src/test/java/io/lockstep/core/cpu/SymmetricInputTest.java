package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.UsageException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** An input that the caller keeps is read where it lies, and is the caller's again when the call returns. */
class SymmetricInputTest {
    private static final int WORLD = 3;
    private static final int HIDDEN = 264;
    private static final int[] TOKENS = {260, 1, 17};

    static Stream<Arguments> everyTypeAndAlgorithm() {
        return BuffersTest.everyTypeAndAlgorithm();
    }

    @ParameterizedTest(name = "{0}, {1}, {2} lanes")
    @MethodSource("everyTypeAndAlgorithm")
    void ranksThatKeepTheirInputAndRanksThatDoNotShareACall(DType dtype, Algorithm algorithm, int lanes) {
        Ranks.run(Ranks.spec(WORLD).withThreads(lanes), communicator -> {
            int rank = communicator.rank();
            for (Parts parts : Parts.values()) {
                Operation operation = parts.of(dtype, HIDDEN, TOKENS[0]).withAlgorithm(algorithm);
                try (Plan plan = communicator.plan(operation)) {
                    for (int seed = 0; seed < 16; seed++) {
                        int tokens = TOKENS[seed % TOKENS.length];
                        OneCall call = new OneCall(plan, WORLD, rank, tokens, seed, Layer.Mix.ANY_BITS);
                        String where = parts + ", call " + seed;
                        switch ((rank + seed) % 4) {
                            case 0 -> call.run(where, null, Place.NATIVE, seed % 2 == 0);
                            case 1 -> call.run(where, Place.HEAP, Place.NATIVE, seed % 2 == 0);
                            default -> call.runSymmetric(where, Place.NATIVE, seed % 2 == 0);
                        }
                    }
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Algorithm.class,
            names = {"ONE_SHOT", "TWO_SHOT"})
    void itMayBeWrittenAsSoonAsTheCallReturns(Algorithm algorithm) {
        Ranks.run(Ranks.spec(WORLD).withThreads(2), communicator -> {
            SplittableRandom random = new SplittableRandom(4712 + communicator.rank());
            Operation operation = Parts.ALL.of(DType.BF16, 2880, 70).withAlgorithm(algorithm);
            try (Plan plan = communicator.plan(operation)) {
                for (int call = 0; call < 40; call++) {
                    if (random.nextInt(4) == 0) {
                        LockSupport.parkNanos(random.nextInt(300_000));
                    }
                    new OneCall(plan, WORLD, communicator.rank(), 70, call, Layer.Mix.ORDINARY)
                            .runSymmetric("call " + call, Place.NATIVE, false);
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Algorithm.class,
            names = {"ONE_SHOT", "TWO_SHOT"})
    void aSlowReaderIsWaitedFor(Algorithm algorithm) {
        assertThat(wrongCallsWithASlowReader(algorithm, SlowReader::new)).isZero();
    }

    @Test
    void aRankThatDoesNotWaitForTheSlowReaderIsSeen() {
        assertThat(wrongCallsWithASlowReader(Algorithm.ONE_SHOT, Impatient::new))
                .isPositive();
    }

    private static int wrongCallsWithASlowReader(Algorithm algorithm, CpuPlan.LaneMaker lanes) {
        Operation operation = Parts.ALL.of(DType.BF16, 2880, 64).withAlgorithm(algorithm);
        AtomicInteger wrong = new AtomicInteger();
        Ranks.run(Ranks.spec(2), communicator -> {
            try (Plan plan = ((CpuCommunicator) communicator).plan(operation, "", lanes)) {
                for (int call = 0; call < 3; call++) {
                    OneCall one = new OneCall(plan, 2, communicator.rank(), 64, call, Layer.Mix.ORDINARY);
                    try {
                        one.runSymmetric("call " + call, Place.NATIVE, false);
                    } catch (AssertionError e) {
                        wrong.incrementAndGet();
                    }
                }
            }
        });
        return wrong.get();
    }

    /** Rank 1 takes its time between seeing that the inputs are there and reading them. */
    private static class SlowReader extends Lane {
        SlowReader(Setup setup, int index, Waiter waiter, Arena scratch) {
            super(setup, index, waiter, scratch);
        }

        @Override
        void awaitReady(int chunk) {
            super.awaitReady(chunk);
            if (rank == 1) {
                LockSupport.parkNanos(20_000_000);
            }
        }
    }

    /** Besides, rank 0 returns without waiting for it. */
    private static final class Impatient extends SlowReader {
        Impatient(Setup setup, int index, Waiter waiter, Arena scratch) {
            super(setup, index, waiter, scratch);
        }

        @Override
        void awaitShared(int chunk, String what) {
            if (rank != 0) {
                super.awaitShared(chunk, what);
            }
        }
    }

    @Test
    void aPartOfItFromElsewhereThanItsStartIsAnInputLikeAnyOther() {
        Ranks.run(Ranks.spec(2), communicator -> {
            Operation operation = Parts.ALL.of(DType.FP32, HIDDEN, 8);
            try (Plan plan = communicator.plan(operation);
                    Arena arena = Arena.ofShared()) {
                Layer layer = new Layer(operation, 2, 4, 7, Layer.Mix.ORDINARY);
                MemorySegment later = plan.symmetricInput().segment().asSlice(operation.rowBytes());
                layer.fillInput(later, communicator.rank());
                Tensors tensors = layer.tensors(arena, communicator.rank()).withInput(later);
                plan.run(4, tensors);
                layer.check("rank " + communicator.rank(), CollectiveTest.segment(tensors.reduced()), null, null);
            }
        });
    }

    @Test
    void nothingIsWrittenOverIt() {
        Ranks.run(Ranks.spec(2), communicator -> {
            Operation operation = Parts.ALL.of(DType.BF16, HIDDEN, 8);
            try (Plan plan = communicator.plan(operation);
                    Arena arena = Arena.ofShared()) {
                MemorySegment symmetric = plan.symmetricInput().segment();
                Tensors tensors = new Layer(operation, 2, 8, 7, Layer.Mix.ORDINARY)
                        .tensors(arena, communicator.rank())
                        .withInput(symmetric)
                        .withOut(symmetric);
                assertThatThrownBy(() -> plan.run(8, tensors))
                        .isInstanceOf(UsageException.class)
                        .hasMessageContaining("out lies in an input buffer of the plan");
            }
        });
    }

    @Test
    void itIsOneBufferAndHasMemoryFromWhenItIsAskedFor() {
        Ranks.run(Ranks.spec(2), communicator -> {
            try (Plan plan = communicator.plan(Parts.ALL.of(DType.BF16, HIDDEN, 8))) {
                long before = plan.sharedBytes();
                MemorySegment symmetric = plan.symmetricInput().segment();
                assertThat(symmetric.byteSize()).isEqualTo(8L * HIDDEN * 2);
                assertThat(plan.symmetricInput().segment().address()).isEqualTo(symmetric.address());
                assertThat(plan.sharedBytes()).isGreaterThan(before);
            }
        });
    }
}
