package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.kernels.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A row gives the same bits whatever stands around it and however it is computed. */
class IndependenceTest {
    private static final int WORLD = 3;
    private static final int TOKENS = 200;
    private static final int ROW = 137;

    /** Every pair of choices of two dimensions. */
    private static final List<Way> WAYS = List.of(
            new Way(Kernels.SCALAR, Algorithm.ONE_SHOT, 1),
            new Way(Kernels.SCALAR, Algorithm.TWO_SHOT, 3),
            new Way(128, Algorithm.ONE_SHOT, 3),
            new Way(128, Algorithm.TWO_SHOT, 1),
            new Way(256, Algorithm.ONE_SHOT, 1),
            new Way(256, Algorithm.TWO_SHOT, 3),
            new Way(512, Algorithm.ONE_SHOT, 3),
            new Way(512, Algorithm.TWO_SHOT, 1));

    private record Way(int vectorBits, Algorithm algorithm, int lanes) {}

    static Stream<Arguments> everyTypeAndOddLengths() {
        List<Arguments> all = new ArrayList<>();
        for (DType dtype : DType.values()) {
            for (int hidden : new int[] {7, 520, 1000}) {
                all.add(Arguments.of(dtype, hidden));
            }
        }
        return all.stream();
    }

    @ParameterizedTest(name = "{0}, hidden {1}")
    @MethodSource("everyTypeAndOddLengths")
    void aRowDoesNotDependOnBatchLanesAlgorithmOrVectorWidth(DType dtype, int hidden) {
        Operation any = Operation.allReduceResidualRmsNorm(dtype, hidden, TOKENS);
        Layer layer = new Layer(any, WORLD, TOKENS, 42, Layer.Mix.ORDINARY);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment expected = arena.allocate(any.rowBytes(), 64);
            boolean first = true;
            for (Way way : WAYS) {
                MemorySegment found =
                        rowOf(layer, any.withAlgorithm(way.algorithm()), way.lanes(), way.vectorBits(), first);
                if (first) {
                    expected.copyFrom(found);
                    first = false;
                }
                assertThat(found.mismatch(expected))
                        .as("first byte that differs, %s, seed 42", way)
                        .isEqualTo(-1);
            }
        }
    }

    /**
     * The row on rank 0, once within its batch, once alone, once as the last of a smaller batch: the same each time.
     */
    private static MemorySegment rowOf(Layer layer, Operation operation, int lanes, int vectorBits, boolean check) {
        long rowBytes = operation.rowBytes();
        MemorySegment row = MemorySegment.ofArray(new byte[Math.toIntExact(rowBytes)]);
        Ranks.run(Ranks.spec(WORLD).withThreads(lanes), new SharedWords(), vectorBits, communicator -> {
            try (Arena arena = Arena.ofShared();
                    Plan plan = communicator.plan(operation)) {
                Tensors whole = layer.tensors(arena, communicator.rank());
                plan.run(TOKENS, whole);
                MemorySegment out = CollectiveTest.segment(whole.out());
                if (check) {
                    layer.check("the batch", null, null, out);
                }
                MemorySegment expected = out.asSlice(ROW * rowBytes, rowBytes);
                for (int before : new int[] {0, 5}) {
                    long from = (ROW - before) * rowBytes;
                    long bytes = (before + 1) * rowBytes;
                    MemorySegment few = arena.allocate(bytes, 64);
                    plan.run(
                            before + 1,
                            Tensors.of(CollectiveTest.segment(whole.input()).asSlice(from, bytes))
                                    .withResidual(CollectiveTest.segment(whole.residual())
                                            .asSlice(from, bytes))
                                    .withResidualOut(arena.allocate(bytes, 64))
                                    .withWeight(CollectiveTest.segment(whole.weight()))
                                    .withOut(few));
                    assertThat(few.asSlice(before * rowBytes).mismatch(expected))
                            .as("row %d after %d others, on rank %d", ROW, before, communicator.rank())
                            .isEqualTo(-1);
                }
                if (communicator.rank() == 0) {
                    row.copyFrom(expected);
                }
            }
        });
        return row;
    }
}
