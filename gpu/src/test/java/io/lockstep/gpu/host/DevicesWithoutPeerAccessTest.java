package io.lockstep.gpu.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.core.DType;
import io.lockstep.core.DriverException;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.reference.Reference;
import io.lockstep.gpu.GpuCommunicator;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.Tools;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Devices that do not reach one another: the vendor's library sums, or nothing is planned. */
class DevicesWithoutPeerAccessTest {
    private static final int HIDDEN = 20;
    private static final int TOKENS = 9;
    private static final int RANKS = 3;
    private static final Operation OPERATION = Operation.allReduceResidualRmsNorm(DType.FP32, HIDDEN, TOKENS);

    @BeforeAll
    static void requireCompiler() {
        assumeThat(Tools.find("g++"))
                .as("g++, which compiles the kernels for the host")
                .isPresent();
    }

    @Test
    void theLibrarySumsAndAKernelDoesTheRest() throws Exception {
        HostLibrary library = new HostLibrary();
        HostDriver driver = library.driver();
        try (RanksOnTheHost ranks = new RanksOnTheHost(driver, RANKS)) {
            assertThat(ranks.each(DevicesWithoutPeerAccessTest::firstWrong)).containsOnly("");
        }
        assertThat(library.calls()).hasSize(2 * RANKS).contains("rank 0: " + TOKENS * HIDDEN, "rank 2: " + 2 * HIDDEN);
        assertThat(library.members()).isZero();
        assertThat(driver.allocations()).isZero();
    }

    /** Small whole numbers, whose sum is the same in every order. */
    private static float element(int rank, int i) {
        return i * (rank + 3) % 17 - 8;
    }

    private static String firstWrong(GpuCommunicator rank) {
        GpuPlan plan = rank.plan(OPERATION);
        assertThat(plan.exact()).isFalse();
        for (int tokens : List.of(TOKENS, 2)) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment input = floats(arena, tokens, rank.rank());
                MemorySegment residual = floats(arena, tokens, 5);
                MemorySegment weight = floats(arena, 1, 6);
                MemorySegment residualOut = floats(arena, tokens, 7);
                MemorySegment out = floats(arena, tokens, 7);
                plan.run(
                        tokens,
                        Tensors.of(input)
                                .withResidual(residual)
                                .withWeight(weight)
                                .withResidualOut(residualOut)
                                .withOut(out));
                for (int row = 0; row < tokens; row++) {
                    float[][] inputs = new float[rank.worldSize()][];
                    for (int peer = 0; peer < inputs.length; peer++) {
                        inputs[peer] = row(peer, row);
                    }
                    float[] expectedSum = new float[HIDDEN];
                    float[] expected = new float[HIDDEN];
                    Reference.row(OPERATION, inputs, row(5, row), row(6, 0), null, expectedSum, expected);
                    if (!Arrays.equals(expectedSum, found(residualOut, row))
                            || !Arrays.equals(expected, found(out, row))) {
                        return "row " + row + " of " + tokens;
                    }
                }
            }
        }
        plan.close();
        return "";
    }

    private static MemorySegment floats(Arena arena, int rows, int rank) {
        MemorySegment segment = arena.allocate((long) rows * HIDDEN * Float.BYTES, 16);
        for (int i = 0; i < rows * HIDDEN; i++) {
            segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, element(rank, i));
        }
        return segment;
    }

    private static float[] row(int rank, int row) {
        float[] elements = new float[HIDDEN];
        for (int i = 0; i < HIDDEN; i++) {
            elements[i] = element(rank, row * HIDDEN + i);
        }
        return elements;
    }

    private static float[] found(MemorySegment segment, int row) {
        long bytes = HIDDEN * Float.BYTES;
        return segment.asSlice(row * bytes, bytes).toArray(ValueLayout.JAVA_FLOAT);
    }

    @Test
    void withoutALibraryAPlanIsRefusedInOneSentence() throws Exception {
        HostDriver driver = HostDriver.withoutPeerAccess(null);
        try (RanksOnTheHost ranks = new RanksOnTheHost(driver, 2)) {
            assertThatThrownBy(() -> ranks.each(rank -> rank.plan(OPERATION)))
                    .isInstanceOf(DriverException.class)
                    .hasMessageContaining("the device of rank 0 (thread) cannot reach the memory of rank 1")
                    .hasMessageContaining("Install it");
        }
        assertThat(driver.allocations()).isZero();
    }

    @Test
    void devicesThatReachOneAnotherKeepToTheContract() throws Exception {
        try (RanksOnTheHost ranks = new RanksOnTheHost(new HostDriver(), 2)) {
            assertThat(ranks.each(rank -> rank.plan(OPERATION).exact())).containsOnly(true);
        }
    }
}
