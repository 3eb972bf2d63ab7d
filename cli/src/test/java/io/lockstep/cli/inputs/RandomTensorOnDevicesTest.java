package io.lockstep.cli.inputs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;
import io.lockstep.gpu.GpuCommunicator;
import io.lockstep.gpu.collective.DeviceCheck;
import io.lockstep.gpu.collective.GpuDiagnostics;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A device makes the tensors that the host makes, in every bit. */
@Timeout(120)
final class RandomTensorOnDevicesTest {
    @ParameterizedTest
    @CsvSource({"bf16, 264", "bf16, 2040", "bf16, 7", "fp16, 40", "fp16, 33", "fp32, 36", "fp32, 5"})
    void theDeviceMakesTheSameBits(String type, int hidden) {
        assumeThat(Path.of("/usr/bin/g++"))
                .as("g++, which compiles the kernels for the host")
                .exists();
        DType dtype = DType.of(type);
        Shape shape = new Shape(50, hidden);
        List<Communicator> group =
                Communicator.threads(GroupSpec.of("generator", 0, 2).withBackend("host"));
        GpuCommunicator rank = (GpuCommunicator) group.getFirst();
        try (Arena arena = Arena.ofConfined();
                DeviceCheck check =
                        GpuDiagnostics.check(rank, Operation.allReduceResidualRmsNorm(dtype, hidden, shape.tokens()))) {
            DeviceSpan span = rank.allocate(shape.bytes(dtype) + dtype.bytes());
            MemorySegment expected = arena.allocate(shape.bytes(dtype));
            MemorySegment found = arena.allocate(shape.bytes(dtype));
            for (long seed : new long[] {0, 7, -1, Long.MIN_VALUE, 999_999_999}) {
                for (RandomTensor tensor : List.of(
                        RandomTensor.input(dtype, seed, 1999, 1),
                        RandomTensor.residual(dtype, seed, 0),
                        RandomTensor.weight(dtype, seed, Integer.MAX_VALUE))) {
                    tensor.fill(expected, shape);
                    for (int shift : new int[] {0, dtype.bytes()}) {
                        DeviceSpan place = span.slice(shift, shape.bytes(dtype));
                        check.make(place, tensor.key(), shape.tokens());
                        check.difference();
                        rank.download(place, found);
                        assertThat(found.mismatch(expected))
                                .as("seed %d, shift %d", seed, shift)
                                .isEqualTo(-1);
                    }
                }
            }
        } finally {
            group.forEach(Communicator::close);
        }
    }
}
