package io.lockstep.gpu.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.Tools;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code auto} makes of times that are made up. */
class ChoiceOnTheHostTest {
    private static final int MOST_TOKENS = 16;

    @BeforeAll
    static void requireCompiler() {
        assumeThat(Tools.find("g++"))
                .as("g++, which compiles the kernels for the host")
                .isPresent();
    }

    /**
     * Times in nanoseconds, of the first row and of each one more. The gap that devices without work have would hide
     * any of these differences.
     */
    @ParameterizedTest
    @CsvSource({
        // Two-shot is slower for one row and faster for many.
        "2, 3000, 1000, 5000, 400, 4",
        "4, 3000, 1000, 4000, 500, 4",
        // Six per cent are enough, four are a draw.
        "2, 3000, 300, 3000, 270, 16",
        "2, 3000, 300, 3000, 280, 0",
        // One-shot is always faster.
        "2, 3000, 300, 4000, 300, 0",
        // Two-shot is.
        "3, 4000, 300, 3000, 300, 1"
    })
    void autoTakesWhatTheDeviceDoesFaster(int ranks, int one, int oneMore, int two, int twoMore, int from)
            throws Exception {
        HostDriver driver = HostDriver.withCosts(
                (kernel, tokens) -> kernel.contains("two_shot") ? two + tokens * twoMore : one + tokens * oneMore);
        try (RanksOnTheHost group = new RanksOnTheHost(driver, ranks)) {
            List<Integer> found = group.each(rank -> {
                GpuPlan plan = rank.plan(Operation.allReduceResidualRmsNorm(DType.BF16, 8, MOST_TOKENS));
                for (int tokens = 1; tokens <= MOST_TOKENS; tokens++) {
                    if (plan.algorithm(tokens) == Algorithm.TWO_SHOT) {
                        return tokens;
                    }
                }
                return 0;
            });
            assertThat(found).containsOnly(from);
        }
    }
}
