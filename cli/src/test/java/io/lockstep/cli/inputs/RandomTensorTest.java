package io.lockstep.cli.inputs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.DType;
import io.lockstep.core.reference.Elements;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random inputs that anyone can make again. */
final class RandomTensorTest {
    private static final int HIDDEN = 4099;

    @Test
    void theSameSeedGivesTheSameBitsForEver() {
        float[] row = row(RandomTensor.input(DType.BF16, 42, 7, 3), 5);
        // Written down once: a saved seed must mean the same in every version.
        assertThat(new float[] {row[0], row[1], row[4098]}).containsExactly(-0.9921875f, -8.430481E-4f, -16.625f);
    }

    @ParameterizedTest
    @EnumSource
    void everyValueIsOneOfTheTypesOwn(DType dtype) {
        for (float value : row(RandomTensor.input(dtype, 1, 2, 3), 4)) {
            assertThat(Elements.round(dtype, value)).isEqualTo(value);
        }
    }

    @Test
    void bothSignsAndSixteenExponentsAppear() {
        Set<Integer> exponents = new HashSet<>();
        int negative = 0;
        for (float value : row(RandomTensor.input(DType.FP32, 1, 2, 3), 4)) {
            exponents.add(Math.getExponent(value));
            negative += value < 0 ? 1 : 0;
        }
        assertThat(exponents).hasSize(16).contains(-11, 4);
        assertThat(negative).isBetween(HIDDEN * 4 / 10, HIDDEN * 6 / 10);
    }

    @Test
    void everyPartOfTheKeyMatters() {
        float[] row = row(RandomTensor.input(DType.FP32, 1, 2, 3), 4);
        assertThat(row(RandomTensor.input(DType.FP32, 2, 2, 3), 4)).isNotEqualTo(row);
        assertThat(row(RandomTensor.input(DType.FP32, 1, 3, 3), 4)).isNotEqualTo(row);
        assertThat(row(RandomTensor.input(DType.FP32, 1, 2, 4), 4)).isNotEqualTo(row);
        assertThat(row(RandomTensor.input(DType.FP32, 1, 2, 3), 5)).isNotEqualTo(row);
        assertThat(row(RandomTensor.residual(DType.FP32, 1, 2), 4)).isNotEqualTo(row);
        assertThat(row(RandomTensor.weight(DType.FP32, 1, 2), 4))
                .isNotEqualTo(row(RandomTensor.residual(DType.FP32, 1, 2), 4));
    }

    @ParameterizedTest
    @EnumSource
    void aFilledTensorHoldsItsRows(DType dtype) {
        Shape shape = new Shape(3, 5);
        RandomTensor tensor = RandomTensor.input(dtype, 9, 0, 1);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(shape.elements() * dtype.bytes());
            tensor.fill(memory, shape);
            float[] row = new float[5];
            tensor.row(2, row);
            for (int column = 0; column < 5; column++) {
                assertThat(Elements.get(dtype, memory, 2 * 5 + column)).isEqualTo(row[column]);
            }
        }
    }

    private static float[] row(RandomTensor tensor, int row) {
        float[] values = new float[HIDDEN];
        tensor.row(row, values);
        return values;
    }
}
