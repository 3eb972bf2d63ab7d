package io.lockstep.core.cpu;

import io.lockstep.core.DType;
import io.lockstep.core.Operation;

/** Which parts of the operation are there. */
enum Parts {
    ALL,
    NO_RESIDUAL,
    NO_NORM,
    SUM_ALONE;

    Operation of(DType dtype, int hidden, int maxTokens) {
        return switch (this) {
            case ALL -> Operation.allReduceResidualRmsNorm(dtype, hidden, maxTokens);
            case NO_RESIDUAL -> Operation.allReduceRmsNorm(dtype, hidden, maxTokens);
            case NO_NORM -> Operation.allReduce(dtype, hidden, maxTokens).withResidual(true);
            case SUM_ALONE -> Operation.allReduce(dtype, hidden, maxTokens);
        };
    }
}
