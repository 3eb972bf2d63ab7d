package io.lockstep.gpu.collective;

import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.kernel.KernelOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The tensors of a call, checked. A call with the same tensors as the one before is checked in a few nanoseconds. */
final class DeviceOperands {
    final DeviceOperand input;
    final DeviceOperand residual;
    final DeviceOperand weight;
    final DeviceOperand reduced;
    final DeviceOperand residualOut;
    final DeviceOperand out;

    private final List<DeviceOperand> all;
    private final Operation operation;
    private final boolean wholePacks;
    private @Nullable Tensors bound;
    private long boundBy;
    private int boundTokens;
    private boolean onHost;
    private boolean whole;

    DeviceOperands(Operation operation, KernelOptions options, int device) {
        this.operation = operation;
        wholePacks = options.wholePacks();
        input = new DeviceOperand("input", KernelArguments.INPUT, false, device);
        residual = new DeviceOperand("residual", KernelArguments.RESIDUAL, false, device);
        weight = new DeviceOperand("weight", KernelArguments.WEIGHT, false, device);
        reduced = new DeviceOperand("reduced", KernelArguments.REDUCED, true, device);
        residualOut = new DeviceOperand("residualOut", KernelArguments.RESIDUAL_OUT, true, device);
        out = new DeviceOperand("out", KernelArguments.OUT, true, device);
        all = List.of(input, residual, weight, reduced, residualOut, out);
    }

    List<DeviceOperand> all() {
        return all;
    }

    /** Whether a tensor lies on the host. */
    boolean onHost() {
        return onHost;
    }

    /** Whether all tensors begin on a pack's boundary and have rows of whole packs. */
    boolean whole() {
        return whole;
    }

    /**
     * Takes the tensors of a call.
     *
     * @return false if nothing has changed since the last call but the number of tokens
     * @throws UsageException if they do not fit the operation or one another
     */
    boolean bind(int tokens, Tensors tensors) {
        if (isBound(tokens, tensors)) {
            if (onHost) {
                for (DeviceOperand operand : all) {
                    operand.requireAlive();
                }
            }
            return false;
        }
        bound = null;
        if (tokens < 1 || tokens > operation.maxTokens()) {
            throw new UsageException("tokens is " + tokens + ": expected 1 to " + operation.maxTokens()
                    + ", the most that was planned.");
        }
        if (tensors.input() == null) {
            throw new UsageException("input is missing: a plan on a GPU lends none.");
        }
        long bytes = tokens * operation.rowBytes();
        int element = operation.dtype().bytes();
        input.bind(tensors.input(), bytes, element);
        residual.bind(tensors.residual(), bytes, element);
        weight.bind(tensors.weight(), operation.rowBytes(), element);
        reduced.bind(tensors.reduced(), bytes, element);
        residualOut.bind(tensors.residualOut(), bytes, element);
        out.bind(tensors.out(), bytes, element);
        requireExactly(residual, operation.residual(), "a residual");
        requireExactly(residualOut, operation.residual(), "a residual");
        requireExactly(weight, operation.norm(), "a norm");
        requireExactly(out, operation.norm(), "a norm");
        if (isSumAlone() && !reduced.given()) {
            throw new UsageException(
                    "reduced is missing: the operation is the all-reduce alone, and that is its result.");
        }
        requireApart();
        onHost = all.stream().anyMatch(operand -> operand.host() != null);
        bound = tensors;
        boundTokens = tokens;
        boundBy = Thread.currentThread().threadId();
        return true;
    }

    /** After every tensor of the host has its copy's place on the device. */
    void settle() {
        whole = wholePacks && all.stream().allMatch(operand -> operand.address() % KernelOptions.PACK_BYTES == 0);
    }

    // The same object is meant: equal ones are compared element by element, which takes longer than a call may.
    @SuppressWarnings("ReferenceEquality")
    private boolean isBound(int tokens, Tensors tensors) {
        return tensors == bound
                && tokens >= 1
                && (onHost ? tokens == boundTokens : tokens <= boundTokens)
                && Thread.currentThread().threadId() == boundBy;
    }

    private boolean isSumAlone() {
        return !operation.residual() && !operation.norm();
    }

    private static void requireExactly(DeviceOperand operand, boolean wanted, String part) {
        if (operand.given() != wanted) {
            throw new UsageException(operand.role()
                    + (wanted
                            ? " is missing: the operation has " + part + "."
                            : " is given, but the operation has no such part: it was planned without " + part + "."));
        }
    }

    private void requireApart() {
        for (DeviceOperand written : all) {
            if (!written.written() || !written.given()) {
                continue;
            }
            for (DeviceOperand other : all) {
                if (other != written
                        && other.given()
                        && written.overlaps(other)
                        && !(mayBeSame(written, other) && written.sameStart(other))) {
                    throw new UsageException(written.role() + " and " + other.role()
                            + " overlap. Only out may be the input, and residualOut the residual, and only exactly.");
                }
            }
        }
    }

    private boolean mayBeSame(DeviceOperand written, DeviceOperand other) {
        return (written == out && other == input)
                || (written == residualOut && other == residual)
                || (written == reduced && other == input && isSumAlone());
    }
}
