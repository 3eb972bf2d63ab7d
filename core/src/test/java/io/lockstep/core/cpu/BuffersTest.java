package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.posix.Affinity;
import io.lockstep.core.posix.StreamingCopy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Wherever the tensors lie, the results equal the specification bit for bit. */
class BuffersTest {
    private static final int WORLD = 3;
    private static final int HIDDEN = 264;
    private static final int[] TOKENS = {260, 1, 17};
    private static final Algorithm[] EXCHANGES = {Algorithm.ONE_SHOT, Algorithm.TWO_SHOT};

    static Stream<Arguments> everyTypeAndAlgorithm() {
        List<Arguments> all = new ArrayList<>();
        for (DType dtype : DType.values()) {
            for (Algorithm algorithm : EXCHANGES) {
                for (int lanes : new int[] {1, 3}) {
                    all.add(Arguments.of(dtype, algorithm, lanes));
                }
            }
        }
        return all.stream();
    }

    @ParameterizedTest(name = "{0}, {1}, {2} lanes")
    @MethodSource("everyTypeAndAlgorithm")
    void everyPlaceOfEveryTensorGivesTheSameBits(DType dtype, Algorithm algorithm, int lanes) {
        Ranks.run(Ranks.spec(WORLD).withThreads(lanes), communicator -> {
            long seed = 1;
            for (Parts parts : Parts.values()) {
                Operation operation = parts.of(dtype, HIDDEN, TOKENS[0]).withAlgorithm(algorithm);
                try (Plan plan = communicator.plan(operation)) {
                    for (Place place : Place.values()) {
                        for (int tokens : TOKENS) {
                            OneCall call =
                                    new OneCall(plan, WORLD, communicator.rank(), tokens, seed++, Layer.Mix.ORDINARY);
                            call.run("call " + seed, place, place, tokens == 17);
                        }
                    }
                }
            }
        });
    }

    /** In place nobody asks for the sum, which two ranks then add together with the residual. */
    @ParameterizedTest(name = "{0}, {1}, {2} lanes")
    @MethodSource("everyTypeAndAlgorithm")
    void twoRanksGiveTheSameBitsInPlace(DType dtype, Algorithm algorithm, int lanes) {
        Ranks.run(Ranks.spec(2).withThreads(lanes), communicator -> {
            long seed = 1;
            for (Parts parts : Parts.values()) {
                Operation operation = parts.of(dtype, 2 * HIDDEN + 7, TOKENS[0]).withAlgorithm(algorithm);
                try (Plan plan = communicator.plan(operation)) {
                    for (Place place : Place.values()) {
                        for (Layer.Mix mix : Layer.Mix.values()) {
                            new OneCall(plan, 2, communicator.rank(), TOKENS[(int) seed % TOKENS.length], seed++, mix)
                                    .run("call " + seed, place, place, true);
                        }
                    }
                }
            }
        });
    }

    @ParameterizedTest(name = "{0}, {1}, {2} lanes")
    @MethodSource("everyTypeAndAlgorithm")
    void ranksThatLendAndRanksThatDoNotShareACall(DType dtype, Algorithm algorithm, int lanes) {
        Ranks.run(Ranks.spec(WORLD).withThreads(lanes), communicator -> {
            int rank = communicator.rank();
            for (Parts parts : Parts.values()) {
                Operation operation = parts.of(dtype, HIDDEN, TOKENS[0]).withAlgorithm(algorithm);
                try (Plan plan = communicator.plan(operation)) {
                    for (int seed = 0; seed < 12; seed++) {
                        int tokens = TOKENS[seed % TOKENS.length];
                        OneCall call = new OneCall(plan, WORLD, rank, tokens, seed, Layer.Mix.ANY_BITS);
                        call.run(parts + ", call " + seed, placeInTurn(rank + seed), Place.NATIVE, seed % 2 == 0);
                    }
                }
            }
        });
    }

    private static @Nullable Place placeInTurn(int turn) {
        return switch (turn % 3) {
            case 0 -> null;
            case 1 -> Place.HEAP;
            default -> Place.UNALIGNED;
        };
    }

    @ParameterizedTest
    @EnumSource(
            value = Algorithm.class,
            names = {"ONE_SHOT", "TWO_SHOT"})
    void theLentInputStaysRightOverManyCallsOfRanksThatDawdle(Algorithm algorithm) {
        int tokens = 70;
        Ranks.run(Ranks.spec(WORLD).withThreads(2), communicator -> {
            int rank = communicator.rank();
            SplittableRandom random = new SplittableRandom(4711 + rank);
            Operation operation = Parts.ALL.of(DType.BF16, 2880, tokens).withAlgorithm(algorithm);
            try (Plan plan = communicator.plan(operation);
                    Arena arena = Arena.ofShared()) {
                Layer first = new Layer(operation, WORLD, tokens, 0, Layer.Mix.ORDINARY);
                Tensors tensors = first.tensors(arena, rank);
                Tensors lent = new Tensors(
                        null,
                        tensors.residual(),
                        tensors.weight(),
                        tensors.reduced(),
                        tensors.residualOut(),
                        tensors.out());
                // Two rounds of inputs made beforehand, so that filling takes as little time as a producer's would.
                MemorySegment[] inputs = new MemorySegment[3];
                MemorySegment[] expected = new MemorySegment[3];
                for (int i = 0; i < inputs.length; i++) {
                    Layer layer = new Layer(operation, WORLD, tokens, i, Layer.Mix.ORDINARY);
                    inputs[i] = layer.input(arena, rank);
                    expected[i] = arena.allocate(layer.bytes(), 64);
                    plan.run(tokens, tensors.withInput(inputs[i]).withReduced(expected[i]));
                    layer.check("input " + i + " of rank " + rank, expected[i], null, null);
                }
                for (int call = 0; call < 300; call++) {
                    int i = call % inputs.length;
                    plan.input().segment().copyFrom(inputs[i]);
                    if (random.nextInt(4) == 0) {
                        LockSupport.parkNanos(random.nextInt(300_000));
                    }
                    plan.run(tokens, lent);
                    assertThat(CollectiveTest.segment(lent.reduced()).mismatch(expected[i]))
                            .as("rank %d, call %d, seed 4711: first byte that differs", rank, call)
                            .isEqualTo(-1);
                }
            }
        });
    }

    /** Counts the chunks that are said to have been copied past the caches. */
    private static final class CountingWords extends SharedWords {
        final AtomicInteger streamed = new AtomicInteger();

        @Override
        void publish(long address, long word) {
            if ((word & Lane.PLACE) == Lane.STREAMED) {
                streamed.incrementAndGet();
            }
            super.publish(address, word);
        }
    }

    /** Calls of several chunks and of one, through trials of both copies. */
    @ParameterizedTest
    @EnumSource(
            value = Algorithm.class,
            names = {"ONE_SHOT", "TWO_SHOT"})
    void aPrivateInputStaysRightWhicheverWayItIsCopied(Algorithm algorithm) {
        CountingWords words = new CountingWords();
        Ranks.run(Ranks.spec(2), words, Kernels.preferredVectorBits(), communicator -> {
            int rank = communicator.rank();
            SplittableRandom random = new SplittableRandom(4711 + rank);
            Operation operation = Parts.ALL.of(DType.BF16, 2888, 70).withAlgorithm(algorithm);
            try (Plan plan = communicator.plan(operation);
                    Arena arena = Arena.ofShared()) {
                for (int tokens : new int[] {70, 1}) {
                    Tensors[] inputs = new Tensors[3];
                    Layer[] layers = new Layer[3];
                    for (int i = 0; i < inputs.length; i++) {
                        layers[i] = new Layer(operation, 2, tokens, i, Layer.Mix.ORDINARY);
                        inputs[i] = layers[i].tensors(arena, rank);
                    }
                    for (int call = 0; call < 100; call++) {
                        int i = call % inputs.length;
                        if (random.nextInt(4) == 0) {
                            LockSupport.parkNanos(random.nextInt(300_000));
                        }
                        plan.run(tokens, inputs[i]);
                        if (call % 8 == 0 || tokens == 1) {
                            layers[i].check(
                                    "call " + call + " of rank " + rank,
                                    CollectiveTest.segment(inputs[i].reduced()),
                                    CollectiveTest.segment(inputs[i].residualOut()),
                                    CollectiveTest.segment(inputs[i].out()));
                        }
                    }
                }
            }
        });
        boolean streams = Kernels.preferredVectorBits() >= 256
                && StreamingCopy.isThere()
                && Affinity.ofCurrentThread().cardinality() >= 2;
        assertThat(words.streamed.get() > 0).as("some calls were streamed").isEqualTo(streams);
    }
}
