package io.lockstep.core.cpu;

import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.UsageException;
import org.jspecify.annotations.Nullable;

/** The tensors of a call, checked. A call with the same tensors as the one before is checked in a few nanoseconds. */
final class Operands {
    final Operand input = new Operand("input", false);
    final Operand residual = new Operand("residual", false);
    final Operand weight = new Operand("weight", false);
    final Operand reduced = new Operand("reduced", true);
    final Operand residualOut = new Operand("residualOut", true);
    final Operand out = new Operand("out", true);

    private final Operand[] all = {input, residual, weight, reduced, residualOut, out};
    private final Operation operation;

    /** The input buffers of the plan, which other ranks read. */
    private long sharedFrom;

    private long sharedTo;

    private @Nullable Tensors bound;
    private long boundBy;
    private int boundTokens;

    Operands(Operation operation) {
        this.operation = operation;
    }

    void sharedInputs(long from, long to) {
        sharedFrom = from;
        sharedTo = to;
    }

    /**
     * Takes the tensors of a call.
     *
     * @throws UsageException if they do not fit the operation or one another
     */
    void bind(int tokens, Tensors tensors) {
        if (isBound(tokens, tensors)) {
            for (Operand operand : all) {
                operand.requireAlive();
            }
            return;
        }
        bound = null;
        if (tokens < 1 || tokens > operation.maxTokens()) {
            throw new UsageException("tokens is " + tokens + ": expected 1 to " + operation.maxTokens()
                    + ", the most that was planned.");
        }
        long bytes = tokens * operation.rowBytes();
        input.bind(tensors.input(), bytes);
        residual.bind(tensors.residual(), bytes);
        weight.bind(tensors.weight(), operation.rowBytes());
        reduced.bind(tensors.reduced(), bytes);
        residualOut.bind(tensors.residualOut(), bytes);
        out.bind(tensors.out(), bytes);
        requireExactly(residual, operation.residual(), "a residual");
        requireExactly(residualOut, operation.residual(), "a residual");
        requireExactly(weight, operation.norm(), "a norm");
        requireExactly(out, operation.norm(), "a norm");
        if (isSumAlone() && !reduced.given()) {
            throw new UsageException(
                    "reduced is missing: the operation is the all-reduce alone, and that is its result.");
        }
        requireApart();
        bound = tensors;
        boundTokens = tokens;
        boundBy = Thread.currentThread().threadId();
    }

    // The same object is meant: equal ones are compared element by element, which takes longer than a call may.
    @SuppressWarnings("ReferenceEquality")
    private boolean isBound(int tokens, Tensors tensors) {
        return tensors == bound
                && tokens >= 1
                && tokens <= boundTokens
                && Thread.currentThread().threadId() == boundBy;
    }

    private boolean isSumAlone() {
        return !operation.residual() && !operation.norm();
    }

    private static void requireExactly(Operand operand, boolean wanted, String part) {
        if (operand.given() != wanted) {
            throw new UsageException(operand.role()
                    + (wanted
                            ? " is missing: the operation has " + part + "."
                            : " is given, but the operation has no such part: it was planned without " + part + "."));
        }
    }

    private void requireApart() {
        for (Operand written : all) {
            if (!written.written() || !written.given()) {
                continue;
            }
            if (!written.heap() && written.address() < sharedTo && written.address() + written.bytes() > sharedFrom) {
                throw new UsageException(written.role()
                        + " lies in an input buffer of the plan: other ranks still read it, so nothing may be written"
                        + " there.");
            }
            for (Operand other : all) {
                if (other != written && other.given() && written.overlaps(other) && !mayBeSame(written, other)) {
                    throw new UsageException(written.role() + " and " + other.role()
                            + " overlap. Only out may be the input, and residualOut the residual, and only exactly.");
                }
            }
        }
    }

    private boolean mayBeSame(Operand written, Operand other) {
        boolean pair = (written == out && other == input)
                || (written == residualOut && other == residual)
                || (written == reduced && other == input && isSumAlone());
        return pair && written.sameStart(other);
    }
}
