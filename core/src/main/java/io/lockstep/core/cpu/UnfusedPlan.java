package io.lockstep.core.cpu;

import io.lockstep.core.Algorithm;
import io.lockstep.core.HostBuffer;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.reference.Reference;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * All-reduce, add and RMSNorm as three passes over the whole tensor, on the same ranks and with the same loops: what
 * the fused operation is measured against. On one thread, in native memory, with residual and norm.
 */
final class UnfusedPlan implements Plan {
    private final Operation operation;
    private final CpuPlan sum;
    private final Kernels kernels;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment reduced;
    private final Operands operands;

    UnfusedPlan(Operation operation, CpuPlan sum, int vectorBits) {
        this.operation = operation;
        this.sum = sum;
        kernels = Kernels.of(operation.dtype(), operation.hidden(), vectorBits, arena);
        reduced = arena.allocate(operation.maxTokens() * operation.rowBytes(), PlanLayout.LINE);
        operands = new Operands(operation);
    }

    @Override
    public Operation operation() {
        return operation;
    }

    @Override
    public Algorithm algorithm(int tokens) {
        return sum.algorithm(tokens);
    }

    @Override
    public long sharedBytes() {
        return sum.sharedBytes();
    }

    @Override
    public HostBuffer input() {
        return sum.input();
    }

    @Override
    public void run(int tokens, Tensors tensors) {
        operands.bind(tokens, tensors);
        sum.run(tokens, new Tensors(tensors.input(), null, null, new HostBuffer(reduced), null, null));
        long rowBytes = operation.rowBytes();
        int hidden = operation.hidden();
        long row = operands.residualOut.address();
        for (int token = 0; token < tokens; token++) {
            long at = token * rowBytes;
            kernels.add(row + at, reduced.address() + at, operands.residual.address() + at, hidden);
            kernels.canonicalise(row + at, row + at, hidden);
        }
        long out = operands.out.address();
        for (int token = 0; token < tokens; token++) {
            float scale = Reference.scale(kernels.squares(row, hidden), hidden, operation.epsilon());
            kernels.scale(out, row, operands.weight.address(), scale, hidden);
            row += rowBytes;
            out += rowBytes;
        }
    }

    @Override
    public void close() {
        sum.close();
        arena.close();
    }
}
