package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.HostBuffer;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Plans of one communicator take turns, give their memory back, and are right all the while. */
class SeveralPlansTest {
    private static final int WORLD = 3;

    @Test
    void plansTokensAndAlgorithmsChangeFromCallToCall() {
        long seed = 77;
        Ranks.run(Ranks.spec(WORLD).withThreads(2), communicator -> {
            List<CpuPlan> plans = new ArrayList<>();
            CpuCommunicator cpu = (CpuCommunicator) communicator;
            for (DType dtype : DType.values()) {
                plans.add(cpu.plan(exchange(Parts.ALL, dtype, 520, 150), "", Lane::new));
                plans.add(cpu.plan(exchange(Parts.SUM_ALONE, dtype, 33, 2000), "", Lane::new));
            }
            // The same choices on every rank.
            SplittableRandom random = new SplittableRandom(seed);
            for (int call = 0; call < 150; call++) {
                CpuPlan plan = plans.get(random.nextInt(plans.size()));
                int most = plan.operation().maxTokens();
                int tokens = random.nextBoolean() ? 1 + random.nextInt(most) : 1 + random.nextInt(3);
                Algorithm algorithm = random.nextBoolean() ? Algorithm.ONE_SHOT : Algorithm.TWO_SHOT;
                boolean lent = random.nextInt(3) == 0;
                Plan chosen = new Fixed(plan, algorithm);
                new OneCall(chosen, WORLD, communicator.rank(), tokens, seed + call, Layer.Mix.ORDINARY)
                        .run("call " + call + ", " + algorithm, lent ? null : Place.NATIVE, Place.HEAP, call % 2 == 0);
            }
            plans.forEach(CpuPlan::close);
        });
    }

    /** A plan whose calls take an algorithm of the test's choice. */
    private record Fixed(CpuPlan plan, Algorithm algorithm) implements Plan {
        @Override
        public Operation operation() {
            return plan.operation();
        }

        @Override
        public Algorithm algorithm(int tokens) {
            return algorithm;
        }

        @Override
        public long sharedBytes() {
            return plan.sharedBytes();
        }

        @Override
        public HostBuffer input() {
            return plan.input();
        }

        @Override
        public void run(int tokens, Tensors tensors) {
            plan.run(tokens, tensors, algorithm);
        }

        @Override
        public void close() {
            plan.close();
        }
    }

    @Test
    void theMemoryOfAPlanThatAllRanksHaveClosedIsUsedAgain() {
        Ranks.run(Ranks.spec(WORLD), communicator -> {
            CpuCommunicator cpu = (CpuCommunicator) communicator;
            Operation operation = exchange(Parts.ALL, DType.BF16, 2880, 64);
            long size = 0;
            for (int turn = 0; turn < 10; turn++) {
                try (Plan plan = communicator.plan(operation)) {
                    assertThat(size == 0 || cpu.memory().size() == size)
                            .as("no growth in turn %d", turn)
                            .isTrue();
                    size = cpu.memory().size();
                    for (int call = 0; call < 3; call++) {
                        new OneCall(plan, WORLD, communicator.rank(), 64, turn * 10 + call, Layer.Mix.ORDINARY)
                                .run("turn " + turn, call == 1 ? null : Place.NATIVE, Place.NATIVE, false);
                    }
                }
            }
        });
    }

    @Test
    void theMemoryOfAPlanThatOneRankStillHoldsIsNotUsedAgain() {
        Ranks.run(Ranks.spec(2), communicator -> {
            Operation operation = exchange(Parts.ALL, DType.BF16, 64, 4);
            Plan held = communicator.plan(operation);
            if (communicator.rank() == 0) {
                held.close();
            }
            CpuPlan next = (CpuPlan) communicator.plan(operation);
            assertThat(next.offset()).isNotEqualTo(((CpuPlan) held).offset());
            if (communicator.rank() == 1) {
                held.close();
            }
            CpuPlan third = (CpuPlan) communicator.plan(operation);
            assertThat(third.offset()).isEqualTo(((CpuPlan) held).offset());
            next.close();
            third.close();
        });
    }

    @Test
    void moreSizesOfAllReduceThanAreKeptAreRightInTurn() {
        Ranks.run(Ranks.spec(2), communicator -> {
            try (Arena arena = Arena.ofShared()) {
                for (int round = 0; round < 2; round++) {
                    for (int i = 0; i < 20; i++) {
                        DType dtype = DType.values()[i % 3];
                        int elements = 5 + 37 * i;
                        for (int call = 0; call < 2; call++) {
                            Operation operation = Operation.allReduce(dtype, elements, 1);
                            Layer layer = new Layer(operation, 2, 1, i + call, Layer.Mix.ORDINARY);
                            MemorySegment tensor = layer.input(arena, communicator.rank());
                            communicator.allReduce(tensor, dtype, elements);
                            layer.check("all-reduce of " + elements, tensor, null, null);
                        }
                    }
                }
            }
        });
    }

    private static Operation exchange(Parts parts, DType dtype, int hidden, int tokens) {
        return parts.of(dtype, hidden, tokens).withAlgorithm(Algorithm.ONE_SHOT);
    }
}
