package io.lockstep.core.cpu;

import static io.lockstep.core.Operation.allReduceResidualRmsNorm;
import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Buffer;
import io.lockstep.core.DType;
import io.lockstep.core.HostBuffer;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The operation among threads of one JVM equals the specification, bit for bit, whatever the shape and the algorithm.
 */
class CollectiveTest {
    private static final int[] HIDDEN = {1, 7, 8, 264, 520, 2040, 2880, 4096, 7168, 16384};
    private static final int[] TOKENS = {1, 2, 3, 13, 17, 127, 1319};
    private static final int[] WORLDS = {2, 3, 4, 5, 6, 7, 8};
    private static final Algorithm[] ALGORITHMS = {Algorithm.ONE_SHOT, Algorithm.TWO_SHOT};
    private static final long MOST_BYTES = 64 * 1024 * 1024;

    /**
     * Every value of every dimension, and all pairs of values of two dimensions, in as few cases as a greedy choice
     * needs.
     */
    static Stream<Arguments> allPairs() {
        int[] sizes = {DType.values().length, WORLDS.length, HIDDEN.length, TOKENS.length, ALGORITHMS.length};
        return AllPairs.of(sizes, 20261122).stream()
                .map(choice -> Arguments.of(
                        DType.values()[choice[0]],
                        WORLDS[choice[1]],
                        HIDDEN[choice[2]],
                        TOKENS[choice[3]],
                        ALGORITHMS[choice[4]]));
    }

    /**
     * The whole product takes long: {@code -Dlockstep.shard=3/37} is the third of 37 parts of it, every 37th case from
     * the third on. With a prime number of parts each has small shapes and large ones.
     */
    static Stream<Arguments> all() {
        String[] shard = System.getProperty("lockstep.shard", "1/1").split("/", -1);
        int part = Integer.parseInt(shard[0]);
        int parts = Integer.parseInt(shard[1]);
        List<Arguments> all = new ArrayList<>();
        for (DType dtype : DType.values()) {
            for (int world : WORLDS) {
                for (int hidden : HIDDEN) {
                    for (int tokens : TOKENS) {
                        for (Algorithm algorithm : ALGORITHMS) {
                            all.add(Arguments.of(dtype, world, hidden, tokens, algorithm));
                        }
                    }
                }
            }
        }
        return IntStream.range(0, all.size()).filter(i -> i % parts == part - 1).mapToObj(all::get);
    }

    @ParameterizedTest(name = "{0}, world size {1}, hidden {2}, tokens {3}, {4}")
    @MethodSource("allPairs")
    void everyPairOfChoicesEqualsTheSpecification(DType dtype, int world, int hidden, int tokens, Algorithm algorithm) {
        long bytes = (long) tokens * hidden * dtype.bytes();
        int fewer = bytes <= MOST_BYTES ? tokens : (int) Math.max(1, MOST_BYTES / (bytes / tokens));
        check(dtype, world, hidden, fewer, algorithm);
    }

    @Tag("slow")
    @ParameterizedTest(name = "{0}, world size {1}, hidden {2}, tokens {3}, {4}")
    @MethodSource("all")
    void everyCombinationEqualsTheSpecification(DType dtype, int world, int hidden, int tokens, Algorithm algorithm) {
        check(dtype, world, hidden, tokens, algorithm);
    }

    private static void check(DType dtype, int world, int hidden, int tokens, Algorithm algorithm) {
        Operation operation = allReduceResidualRmsNorm(dtype, hidden, tokens).withAlgorithm(algorithm);
        for (Layer.Mix mix : Layer.Mix.values()) {
            try (Arena arena = Arena.ofShared()) {
                Layer layer = new Layer(operation, world, tokens, 7 + mix.ordinal(), mix);
                Tensors[] tensors = new Tensors[world];
                Ranks.run(Ranks.spec(world), communicator -> {
                    int rank = communicator.rank();
                    tensors[rank] = layer.tensors(arena, rank);
                    communicator.plan(operation).run(tokens, tensors[rank]);
                });
                MemorySegment reduced = segment(tensors[0].reduced());
                MemorySegment residualOut = segment(tensors[0].residualOut());
                MemorySegment out = segment(tensors[0].out());
                layer.check("rank 0, " + mix, reduced, residualOut, out);
                for (int rank = 1; rank < world; rank++) {
                    String where = "rank " + rank + " beside rank 0, first byte that differs, " + mix;
                    assertThat(segment(tensors[rank].reduced()).mismatch(reduced))
                            .as(where)
                            .isEqualTo(-1);
                    assertThat(segment(tensors[rank].residualOut()).mismatch(residualOut))
                            .as(where)
                            .isEqualTo(-1);
                    assertThat(segment(tensors[rank].out()).mismatch(out))
                            .as(where)
                            .isEqualTo(-1);
                }
            }
        }
    }

    static MemorySegment segment(@Nullable Buffer buffer) {
        if (buffer instanceof HostBuffer host) {
            return host.segment();
        }
        throw new AssertionError("not in host memory: " + buffer);
    }
}
