package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.lockstep.core.Algorithm;
import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A call allocates nothing, and a call that did would be seen. */
class AllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int CALLS = 3000;

    static Stream<Arguments> everyWayToCall() {
        List<Arguments> all = new ArrayList<>();
        for (Algorithm algorithm : new Algorithm[] {Algorithm.ONE_SHOT, Algorithm.TWO_SHOT}) {
            for (boolean lent : new boolean[] {false, true}) {
                all.add(Arguments.of(algorithm, lent));
            }
        }
        return all.stream();
    }

    @ParameterizedTest(name = "{0}, lent input: {1}")
    @MethodSource("everyWayToCall")
    void thousandsOfCallsAllocateNothing(Algorithm algorithm, boolean lent) {
        assertThat(bytesPerCall(algorithm, lent, Lane::new)).isZero();
    }

    @Test
    void aLaneThatAllocatesIsSeen() {
        assertThat(bytesPerCall(Algorithm.ONE_SHOT, false, AllocatingLane::new)).isPositive();
    }

    /** The most of any rank; several tensors in turn, as the layers of a model have. */
    private static long bytesPerCall(Algorithm algorithm, boolean lent, CpuPlan.LaneMaker maker) {
        AtomicLong most = new AtomicLong();
        Operation operation =
                Operation.allReduceResidualRmsNorm(DType.BF16, 2880, 4).withAlgorithm(algorithm);
        Ranks.run(Ranks.spec(2), communicator -> {
            try (Arena arena = Arena.ofShared();
                    CpuPlan plan = cpu(communicator).plan(operation, "", maker)) {
                Tensors[] tensors = new Tensors[4];
                for (int i = 0; i < tensors.length; i++) {
                    Layer layer = new Layer(operation, 2, 4, i, Layer.Mix.ORDINARY);
                    Tensors made = layer.tensors(arena, communicator.rank());
                    tensors[i] = lent
                            ? new Tensors(
                                    null,
                                    made.residual(),
                                    made.weight(),
                                    made.reduced(),
                                    made.residualOut(),
                                    made.out())
                            : made;
                }
                // Compiled code needs a while to come, and its coming may cost a few bytes once: the best of several.
                long best = Long.MAX_VALUE;
                for (int round = 0; round < 6; round++) {
                    long before = THREADS.getCurrentThreadAllocatedBytes();
                    for (int call = 0; call < CALLS; call++) {
                        if (lent) {
                            plan.input();
                        }
                        plan.run(1 + call % 4, tensors[call % tensors.length]);
                    }
                    best = Math.min(best, (THREADS.getCurrentThreadAllocatedBytes() - before) / CALLS);
                }
                most.accumulateAndGet(best, Math::max);
            }
        });
        return most.get();
    }

    private static CpuCommunicator cpu(Communicator communicator) {
        return (CpuCommunicator) communicator;
    }

    private static final class AllocatingLane extends Lane {
        private @Nullable Object kept;

        AllocatingLane(Setup setup, int index, Waiter waiter, Arena scratch) {
            super(setup, index, waiter, scratch);
        }

        @Override
        void stage(int chunk) {
            kept = new byte[chunk + (kept == null ? 1 : 2)];
            super.stage(chunk);
        }
    }
}
