package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Verb;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What CPU ranks do to shared memory, call after call, is what their protocol says, step by step. */
class RecordedVerbsTest {
    private static final int HIDDEN = 256;
    private static final ThreadLocal<VerbRecorder> RECORDER = new ThreadLocal<>();

    /** The verbs, written down by the rank whose thread performs them. */
    private static final class RecordingWords extends SharedWords {
        @Override
        void publish(long address, long word) {
            VerbRecorder recorder = RECORDER.get();
            if (recorder != null) {
                recorder.publish(address, word);
            }
            super.publish(address, word);
        }

        @Override
        long await(long address) {
            long word = super.await(address);
            VerbRecorder recorder = RECORDER.get();
            if (recorder != null) {
                recorder.await(address, word);
            }
            return word;
        }
    }

    /** A lane that writes its data accesses down too, and does nothing else of its own. */
    private static class RecordingLane extends Lane {
        final VerbRecorder recorder;
        private final int world;

        RecordingLane(Setup setup, int index, Waiter waiter, Arena scratch) {
            super(setup, index, waiter, scratch);
            recorder = new VerbRecorder(setup);
            world = setup.layout().worldSize();
            RECORDER.set(recorder);
        }

        @Override
        void stage(int chunk) {
            super.stage(chunk);
            long staged = base + layout.staging(rank, index, slot(chunk));
            // Two-shot leaves out the part that a rank adds itself: the first or the last element is there.
            boolean first = call.algorithm == Algorithm.ONE_SHOT || rank > 0;
            recorder.data(Verb.Kind.WRITE, first ? staged : staged + (elements(chunk) - 1L) * Float.BYTES, 1);
        }

        @Override
        void sum(long to, long[] from, int length) {
            if (length > 0) {
                for (long address : from) {
                    recorder.data(Verb.Kind.READ, address, 1);
                }
            }
            super.sum(to, from, length);
            if (length > 0) {
                recorder.data(Verb.Kind.WRITE, to, world);
            }
        }

        @Override
        void claim(int later, int from) {
            recorder.claim(base + layout.staging(rank, index, slot(later)));
            super.claim(later, from);
        }

        @Override
        void finishRow(int chunk, int from, long raw) {
            recorder.data(Verb.Kind.READ, raw, world);
            super.finishRow(chunk, from, raw);
        }
    }

    /** What a rank did, and what its protocol asks for. */
    private record Recorded(List<String> found, List<String> expected, int claims, List<String> early) {}

    private static Map<Integer, Recorded> record(
            Protocol protocol, Algorithm algorithm, int world, double[] chunksOfCalls, CpuPlan.LaneMaker maker) {
        boolean lent = protocol.name().endsWith("lent-input");
        boolean symmetric = protocol.name().endsWith("symmetric-input");
        Map<Integer, Recorded> all = new ConcurrentHashMap<>();
        int most = 2048;
        Operation operation =
                Operation.allReduceResidualRmsNorm(DType.FP32, HIDDEN, most).withAlgorithm(algorithm);
        Ranks.run(Ranks.spec(world), new RecordingWords(), Kernels.preferredVectorBits(), communicator -> {
            CpuPlan plan = ((CpuCommunicator) communicator).plan(operation, ", recorded", maker);
            VerbRecorder recorder = RECORDER.get();
            int chunkRows = plan.layout().chunkRows();
            List<Verb> verbs = new ArrayList<>();
            int round = 1;
            try (Arena arena = Arena.ofShared()) {
                for (double chunks : chunksOfCalls) {
                    // Whole rows for each rank: a row put together from several parts is read where it is put together.
                    int tokens = Math.max(world, (int) (chunks * chunkRows));
                    int last = round + (tokens - 1) / chunkRows;
                    verbs.addAll(Verb.of(protocol, round, last));
                    MemorySegment input = lent
                            ? plan.input().segment()
                            : symmetric
                                    ? plan.symmetricInput().segment()
                                    : arena.allocate((long) most * HIDDEN * Float.BYTES, 64);
                    for (int row = 0; row < tokens; row++) {
                        for (int column = 0; column < HIDDEN; column++) {
                            input.setAtIndex(
                                    ValueLayout.JAVA_FLOAT, (long) row * HIDDEN + column, round + row / chunkRows);
                        }
                    }
                    if (lent || symmetric) {
                        recorder.data(Verb.Kind.WRITE, input.address(), 1);
                    }
                    plan.run(tokens, tensors(arena, tokens, lent ? Tensors.lent() : Tensors.of(input)));
                    round = last + 1;
                }
            }
            all.put(
                    communicator.rank(),
                    new Recorded(recorder.lines(), recorder.expected(verbs), recorder.claims(), recorder.early()));
            RECORDER.remove();
        });
        assertThat(all).hasSize(world);
        return all;
    }

    private static Tensors tensors(Arena arena, int tokens, Tensors input) {
        long bytes = (long) tokens * HIDDEN * Float.BYTES;
        return input.withResidual(arena.allocate(bytes, 64))
                .withWeight(arena.allocate(HIDDEN * Float.BYTES, 64))
                .withReduced(arena.allocate(bytes, 64))
                .withResidualOut(arena.allocate(bytes, 64))
                .withOut(arena.allocate(bytes, 64));
    }

    /** So many chunks each; 0 is a row for each rank. */
    private static final double[] CALLS = {3.5, 0, 2, 1, 6.25, 0.5};

    private static Map<Integer, Recorded> record(Algorithm algorithm, int world, CpuPlan.LaneMaker maker) {
        Protocol protocol = algorithm == Algorithm.ONE_SHOT ? Protocols.cpuOneShot() : Protocols.cpuTwoShot();
        return record(protocol, algorithm, world, CALLS, maker);
    }

    @ParameterizedTest
    @CsvSource({"ONE_SHOT, 2", "ONE_SHOT, 4", "TWO_SHOT, 2", "TWO_SHOT, 4"})
    void severalCallsOfSeveralChunksAreTheProtocolStepByStep(Algorithm algorithm, int world) {
        record(algorithm, world, RecordingLane::new)
                .forEach((rank, recorded) -> assertThat(recorded.found())
                        .as("rank %d", rank)
                        .isNotEmpty()
                        .isEqualTo(recorded.expected()));
    }

    /** Of an input that is read in place every chunk is there at once, so a round is a call. */
    private static final double[] ONE_CHUNK_EACH = {1, 0, 0.5, 1, 1};

    static Stream<Arguments> inPlace() {
        return Stream.of(
                        Arguments.of(Protocols.cpuLentInput(), Algorithm.ONE_SHOT),
                        Arguments.of(Protocols.cpuSymmetricInput(), Algorithm.ONE_SHOT),
                        Arguments.of(Protocols.cpuTwoShotLentInput(), Algorithm.TWO_SHOT),
                        Arguments.of(Protocols.cpuTwoShotSymmetricInput(), Algorithm.TWO_SHOT))
                .flatMap(of -> Stream.of(2, 3).map(world -> Arguments.of(of.get()[0], of.get()[1], world)));
    }

    @ParameterizedTest
    @MethodSource("inPlace")
    void anInputThatIsReadInPlaceIsTheProtocolStepByStep(Protocol protocol, Algorithm algorithm, int world) {
        record(protocol, algorithm, world, ONE_CHUNK_EACH, RecordingLane::new)
                .forEach((rank, recorded) -> assertThat(recorded.found())
                        .as("rank %d", rank)
                        .isNotEmpty()
                        .isEqualTo(recorded.expected()));
    }

    /** Some calls have one chunk, in which lines are claimed, and some more. */
    private static final double[] MANY_OF_ONE_CHUNK = {0, 1, 0.5, 1, 1, 2.5, 1, 0, 1, 1, 1};

    @ParameterizedTest
    @CsvSource({"ONE_SHOT, 2", "ONE_SHOT, 4", "TWO_SHOT, 4"})
    void linesAreClaimedWhenEveryPeerHasReadThem(Algorithm algorithm, int world) {
        Protocol protocol = algorithm == Algorithm.ONE_SHOT ? Protocols.cpuOneShot() : Protocols.cpuTwoShot();
        record(protocol, algorithm, world, MANY_OF_ONE_CHUNK, RecordingLane::new)
                .forEach((rank, recorded) -> {
                    assertThat(recorded.claims()).as("rank %d", rank).isPositive();
                    assertThat(recorded.early()).as("rank %d", rank).isEmpty();
                });
    }

    @Test
    void linesClaimedOneChunkTooEarlyAreNoticed() {
        record(
                        Protocols.cpuOneShot(),
                        Algorithm.ONE_SHOT,
                        2,
                        MANY_OF_ONE_CHUNK,
                        (setup, index, waiter, scratch) -> new RecordingLane(setup, index, waiter, scratch) {
                            @Override
                            void claim(int later, int from) {
                                super.claim(later + 1, from);
                            }
                        })
                .forEach((rank, recorded) ->
                        assertThat(recorded.early()).as("rank %d", rank).isNotEmpty());
    }

    /** What a lane could do wrong. All ranks do, so that none waits for another in vain. */
    enum Deviation {
        PUBLISHES_BEFORE_IT_WRITES,
        SENDS_NO_CHUNK_AHEAD,
        USES_THE_SLOTS_IN_ANOTHER_ORDER,
        READS_ITS_OWN_INPUT_FOR_A_PEERS,
        PUBLISHES_TWICE,
        ENDS_BEFORE_ITS_INPUT_WAS_READ
    }

    private static final class DeviatingLane extends RecordingLane {
        private final Deviation deviation;

        DeviatingLane(Deviation deviation, Setup setup, int index, Waiter waiter, Arena scratch) {
            super(setup, index, waiter, scratch);
            this.deviation = deviation;
        }

        @Override
        void send(int chunk) {
            switch (deviation) {
                case PUBLISHES_BEFORE_IT_WRITES -> {
                    publishReady(chunk);
                    stage(chunk);
                }
                case PUBLISHES_TWICE -> {
                    publishReady(chunk);
                    super.send(chunk);
                }
                case SENDS_NO_CHUNK_AHEAD -> {
                    if (chunk == 0) {
                        super.send(chunk);
                    }
                }
                default -> super.send(chunk);
            }
        }

        @Override
        void awaitReady(int chunk) {
            if (deviation == Deviation.SENDS_NO_CHUNK_AHEAD && chunk > 0) {
                super.send(chunk);
            }
            super.awaitReady(chunk);
        }

        @Override
        void awaitShared(int chunk, String what) {
            if (deviation != Deviation.ENDS_BEFORE_ITS_INPUT_WAS_READ) {
                super.awaitShared(chunk, what);
            }
        }

        @Override
        int slot(int chunk) {
            return super.slot(chunk) ^ (deviation == Deviation.USES_THE_SLOTS_IN_ANOTHER_ORDER ? 1 : 0);
        }

        @Override
        void sum(long to, long[] from, int length) {
            if (deviation == Deviation.READS_ITS_OWN_INPUT_FOR_A_PEERS) {
                from[(rank + 1) % from.length] = from[rank];
            }
            super.sum(to, from, length);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "PUBLISHES_BEFORE_IT_WRITES, ONE_SHOT",
        "PUBLISHES_BEFORE_IT_WRITES, TWO_SHOT",
        "SENDS_NO_CHUNK_AHEAD, ONE_SHOT",
        "SENDS_NO_CHUNK_AHEAD, TWO_SHOT",
        "USES_THE_SLOTS_IN_ANOTHER_ORDER, ONE_SHOT",
        "USES_THE_SLOTS_IN_ANOTHER_ORDER, TWO_SHOT",
        "READS_ITS_OWN_INPUT_FOR_A_PEERS, ONE_SHOT",
        "READS_ITS_OWN_INPUT_FOR_A_PEERS, TWO_SHOT",
        "PUBLISHES_TWICE, ONE_SHOT"
    })
    void aLaneThatDeviatesIsFoundOut(Deviation deviation, Algorithm algorithm) {
        record(
                        algorithm,
                        2,
                        (setup, index, waiter, scratch) -> new DeviatingLane(deviation, setup, index, waiter, scratch))
                .forEach((rank, recorded) ->
                        assertThat(recorded.found()).as("rank %d", rank).isNotEqualTo(recorded.expected()));
    }

    @ParameterizedTest
    @EnumSource(
            value = Deviation.class,
            names = {
                "USES_THE_SLOTS_IN_ANOTHER_ORDER",
                "READS_ITS_OWN_INPUT_FOR_A_PEERS",
                "ENDS_BEFORE_ITS_INPUT_WAS_READ"
            })
    void aLaneThatDeviatesOverASymmetricInputIsFoundOut(Deviation deviation) {
        record(
                        Protocols.cpuSymmetricInput(),
                        Algorithm.ONE_SHOT,
                        2,
                        ONE_CHUNK_EACH,
                        (setup, index, waiter, scratch) -> new DeviatingLane(deviation, setup, index, waiter, scratch))
                .forEach((rank, recorded) ->
                        assertThat(recorded.found()).as("rank %d", rank).isNotEqualTo(recorded.expected()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ONE_SHOT", "TWO_SHOT"})
    void theOtherAlgorithmsProtocolDoesNotFit(Algorithm algorithm) {
        Protocol other = algorithm == Algorithm.ONE_SHOT ? Protocols.cpuTwoShot() : Protocols.cpuOneShot();
        record(other, algorithm, 2, CALLS, RecordingLane::new)
                .forEach((rank, recorded) ->
                        assertThat(recorded.found()).as("rank %d", rank).isNotEqualTo(recorded.expected()));
    }
}
