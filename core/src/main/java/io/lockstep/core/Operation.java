package io.lockstep.core;

/**
 * What is computed: all-reduce, then residual add, then RMSNorm, of tensors of shape (tokens, hidden). Every rank of a
 * group plans the same operation.
 *
 * <pre>
 * reduced      = round(x_0 + x_1 + … )            sum in fp32, in rank order
 * residual_out = round(reduced + residual)        left out without {@code residual}: the norm then takes {@code reduced}
 * out          = round(residual_out / sqrt(mean(residual_out²) + epsilon) · weight)      left out without {@code norm}
 * </pre>
 *
 * {@code docs/numerics.md} gives every rounding and the order of every addition.
 *
 * @param dtype the type of every tensor
 * @param hidden the length of a row, at least 1
 * @param maxTokens the most rows a call may have, at least 1; shared memory is sized by it only where the plan lends
 *     its input
 * @param epsilon what is added to the mean of the squares: finite and not negative
 * @param algorithm how the ranks exchange
 * @param residual whether a residual is added, and {@code residual_out} written
 * @param norm whether the rows are normalised, and {@code out} written
 */
public record Operation(
        DType dtype, int hidden, int maxTokens, float epsilon, Algorithm algorithm, boolean residual, boolean norm) {

    /** The epsilon most models use. */
    public static final float DEFAULT_EPSILON = 1e-6f;

    private static final long MOST_ROW_BYTES = 1L << 30;

    public Operation {
        require(hidden >= 1, "hidden is " + hidden + ": expected at least 1.");
        require(maxTokens >= 1, "maxTokens is " + maxTokens + ": expected at least 1.");
        require(
                (long) hidden * maxTokens <= Integer.MAX_VALUE,
                "a tensor of " + maxTokens + " x " + hidden
                        + " has more than 2^31 - 1 elements: plan fewer tokens a call.");
        require(
                (long) hidden * dtype.bytes() <= MOST_ROW_BYTES,
                "a row of " + hidden + " " + dtype + " has more than 1 GiB: split it.");
        require(
                epsilon >= 0 && Float.isFinite(epsilon),
                "epsilon is " + epsilon + ": expected a finite number that is not negative.");
    }

    /** All-reduce + residual add + RMSNorm, with the usual epsilon and the algorithm left to Lockstep. */
    public static Operation allReduceResidualRmsNorm(DType dtype, int hidden, int maxTokens) {
        return new Operation(dtype, hidden, maxTokens, DEFAULT_EPSILON, Algorithm.AUTO, true, true);
    }

    /** All-reduce + RMSNorm, no residual. */
    public static Operation allReduceRmsNorm(DType dtype, int hidden, int maxTokens) {
        return allReduceResidualRmsNorm(dtype, hidden, maxTokens).withResidual(false);
    }

    /** All-reduce alone: the result is {@code reduced}. */
    public static Operation allReduce(DType dtype, int hidden, int maxTokens) {
        return new Operation(dtype, hidden, maxTokens, DEFAULT_EPSILON, Algorithm.AUTO, false, false);
    }

    public Operation withEpsilon(float newEpsilon) {
        return new Operation(dtype, hidden, maxTokens, newEpsilon, algorithm, residual, norm);
    }

    public Operation withAlgorithm(Algorithm newAlgorithm) {
        return new Operation(dtype, hidden, maxTokens, epsilon, newAlgorithm, residual, norm);
    }

    public Operation withResidual(boolean newResidual) {
        return new Operation(dtype, hidden, maxTokens, epsilon, algorithm, newResidual, norm);
    }

    /** The size of one row in bytes. */
    public long rowBytes() {
        return (long) hidden * dtype.bytes();
    }

    private static void require(boolean holds, String sentence) {
        if (!holds) {
            throw new UsageException("Operation: " + sentence);
        }
    }
}
