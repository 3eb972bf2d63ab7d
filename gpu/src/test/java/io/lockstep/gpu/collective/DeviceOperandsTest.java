package io.lockstep.gpu.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.DType;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.kernel.KernelOptions;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

class DeviceOperandsTest {
    private static final Operation OPERATION = Operation.allReduceResidualRmsNorm(DType.BF16, 8, 4);
    private static final long BYTES = 4 * 16;

    private final DeviceOperands operands = operands(OPERATION);
    private final Tensors right = Tensors.of(at(0x1000))
            .withResidual(at(0x2000))
            .withWeight(at(0x3000))
            .withResidualOut(at(0x4000))
            .withOut(at(0x5000));

    private static DeviceOperands operands(Operation operation) {
        return new DeviceOperands(operation, KernelOptions.of(operation, 2), 1);
    }

    private static DeviceSpan at(long address) {
        return new DeviceSpan(1, address, BYTES);
    }

    private void refuses(int tokens, Tensors tensors, String sentence) {
        assertThatThrownBy(() -> operands.bind(tokens, tensors))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(sentence);
    }

    @Test
    void tensorsOnBoundariesTakeTheKernelForWholePacks() {
        assertThat(operands.bind(4, right)).isTrue();
        operands.settle();
        assertThat(operands.whole()).isTrue();
        assertThat(operands.onHost()).isFalse();
        assertThat(operands.bind(3, right)).isFalse();
        assertThat(operands.reduced.address()).isZero();

        operands.bind(1, right.withInput(new DeviceSpan(1, 0x1002, 16)));
        operands.settle();
        assertThat(operands.whole()).isFalse();
    }

    @Test
    void rowsThatAreNoWholePacksNeverDo() {
        Operation odd = Operation.allReduce(DType.BF16, 7, 1);
        DeviceOperands some = operands(odd);
        some.bind(1, Tensors.of(at(0x1000)).withReduced(at(0x2000)));
        some.settle();
        assertThat(some.whole()).isFalse();
    }

    @Test
    void inPlaceIsAllowedExactly() {
        operands.bind(4, right.withOut(at(0x1000)).withResidualOut(at(0x2000)));
        refuses(4, right.withOut(at(0x1010)), "out and input overlap");
        refuses(4, right.withOut(at(0x2000)), "out and residual overlap");
        refuses(4, right.withReduced(at(0x1000)), "reduced and input overlap");
    }

    @Test
    void whatDoesNotFitIsRefusedByName() {
        refuses(0, right, "tokens is 0: expected 1 to 4");
        refuses(5, right, "tokens is 5");
        refuses(4, Tensors.lent(), "input is missing");
        refuses(4, right.withInput(new DeviceSpan(1, 0x1000, 63)), "input: the memory holds 63 bytes");
        refuses(4, right.withWeight(new DeviceSpan(0, 0x3000, 16)), "weight: the tensor lies on device 0");
        refuses(4, right.withInput(new DeviceSpan(1, 0x1001, 64)), "no multiple of an element's 2 bytes");
        refuses(4, Tensors.of(at(0x1000)), "residual is missing");
    }

    @Test
    void aTensorOfTheHostIsNoticedAndItsArenaWatched() {
        Tensors mixed;
        try (Arena arena = Arena.ofConfined()) {
            mixed = right.withInput(arena.allocate(BYTES));
            assertThat(operands.bind(4, mixed)).isTrue();
            assertThat(operands.onHost()).isTrue();
            assertThat(operands.input.address()).isZero();
            operands.input.scratch(0x9000);
            assertThat(operands.input.address()).isEqualTo(0x9000);
        }
        refuses(4, mixed, "the arena of the segment is closed");
    }
}
