package io.lockstep.cli.verify;

import io.lockstep.core.DeviceSpan;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.gpu.GpuCommunicator;
import java.util.ArrayList;
import java.util.List;

/**
 * The device memory of one rank: the inputs of all ranks, what they share, what the specification makes of them, and
 * room for the outputs of as many calls as are made in a row, or as fit.
 */
final class GpuTensors implements AutoCloseable {
    /** Outputs may take so much; those of a single call may take more. */
    private static final long OUTPUT_BYTES = 1L << 30;

    private static final long ALIGNMENT = 256;
    private static final int OUTPUTS = 3;

    private final GpuCommunicator communicator;
    private final List<DeviceSpan> memory = new ArrayList<>();
    private final long tensorBytes;
    private final long stride;
    private final long weightBytes;
    private final List<DeviceSpan> inputs = new ArrayList<>();
    private final DeviceSpan residual;
    private final DeviceSpan weight;
    private final DeviceSpan wanted;
    private final List<DeviceSpan> outputs = new ArrayList<>();

    GpuTensors(GpuCommunicator communicator, Operation operation) {
        this.communicator = communicator;
        tensorBytes = operation.maxTokens() * operation.rowBytes();
        // Room to begin one element later.
        stride = (tensorBytes + operation.dtype().bytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        for (int rank = 0; rank < communicator.worldSize(); rank++) {
            inputs.add(allocate(stride));
        }
        residual = allocate(stride);
        weightBytes = operation.rowBytes();
        weight = allocate(weightBytes + operation.dtype().bytes());
        wanted = allocate(OUTPUTS * stride);
        long sets = Math.clamp(OUTPUT_BYTES / (OUTPUTS * stride), 1, GpuWay.QUEUED);
        for (int i = 0; i < sets; i++) {
            outputs.add(allocate(OUTPUTS * stride));
        }
    }

    private DeviceSpan allocate(long bytes) {
        DeviceSpan span = communicator.allocate(bytes);
        memory.add(span);
        return span;
    }

    /** The inputs of all ranks. */
    List<DeviceSpan> inputs(int shift) {
        return inputs.stream().map(span -> span.slice(shift, tensorBytes)).toList();
    }

    DeviceSpan residual(int shift) {
        return residual.slice(shift, tensorBytes);
    }

    DeviceSpan weight(int shift) {
        return weight.slice(shift, weightBytes);
    }

    /** The outputs that fit. */
    int sets() {
        return outputs.size();
    }

    /** All memory of the outputs of a call. */
    DeviceSpan set(int set) {
        return outputs.get(set);
    }

    /** What a call must give: reduced, residual_out and out, in this order. */
    DeviceSpan wanted(int tensor) {
        return wanted.slice(tensor * stride, tensorBytes);
    }

    /** What a call gives, in the same order. */
    DeviceSpan found(int set, int tensor, int shift) {
        return outputs.get(set).slice(tensor * stride + shift, tensorBytes);
    }

    /** The tensors of a call of this rank. */
    Tensors call(int set, GpuWay way, int shift) {
        DeviceSpan residualOut = found(set, 1, shift);
        DeviceSpan out = found(set, 2, shift);
        Tensors tensors = Tensors.of(
                        way.inPlace() ? out : inputs.get(communicator.rank()).slice(shift, tensorBytes))
                .withResidual(way.inPlace() ? residualOut : residual(shift))
                .withWeight(weight(shift))
                .withResidualOut(residualOut)
                .withOut(out);
        return way.reduced() ? tensors.withReduced(found(set, 0, shift)) : tensors;
    }

    @Override
    public void close() {
        memory.forEach(communicator::free);
    }
}
