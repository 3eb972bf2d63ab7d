package io.lockstep.core.cpu;

import static io.lockstep.core.Operation.allReduceResidualRmsNorm;
import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each planted fault is seen in the first calls, and a group without one stays right. */
class PlantedFaultTest {
    private static final int TOKENS = 64;

    static Stream<Arguments> everyFault() {
        return Stream.of(Fault.values())
                .flatMap(fault -> Stream.of(Algorithm.ONE_SHOT, Algorithm.TWO_SHOT)
                        .flatMap(algorithm -> Stream.of(2, 4).map(world -> Arguments.of(fault, algorithm, world))));
    }

    @ParameterizedTest(name = "{0}, {1}, world size {2}")
    @MethodSource("everyFault")
    void aPlantedFaultIsSeen(Fault fault, Algorithm algorithm, int world) {
        Operation operation = allReduceResidualRmsNorm(DType.BF16, 2880, TOKENS).withAlgorithm(algorithm);
        AtomicInteger wrong = new AtomicInteger();
        Ranks.run(Ranks.spec(world), communicator -> {
            Plan plan = CpuDiagnostics.plant(communicator, operation, fault, world - 1);
            for (int call = 0; call < 3; call++) {
                try (Arena arena = Arena.ofShared()) {
                    Layer layer = new Layer(operation, world, TOKENS, call, Layer.Mix.ORDINARY);
                    Tensors tensors = layer.tensors(arena, communicator.rank());
                    plan.run(TOKENS, tensors);
                    try {
                        layer.check(
                                "",
                                CollectiveTest.segment(tensors.reduced()),
                                CollectiveTest.segment(tensors.residualOut()),
                                CollectiveTest.segment(tensors.out()));
                    } catch (AssertionError e) {
                        wrong.incrementAndGet();
                    }
                }
            }
        });
        assertThat(wrong.get()).isPositive();
    }
}
