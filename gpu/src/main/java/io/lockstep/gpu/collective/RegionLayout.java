package io.lockstep.gpu.collective;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Operation;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelOptions;
import java.util.Set;

/**
 * A rank's memory for one plan, as every peer reaches it. The kernels' {@code frame.h} draws the same:
 *
 * <pre>
 * 0        rearmed    one epoch per peer, 128 bytes apart
 * 1024     start      [block][rank] epochs of the start barrier, pull only
 * 33792    middle     the same, of the middle barrier
 * 66560    end        the same, of the end barrier
 * 99328    headers    [copy][block][rank] of 8 bytes
 * 524288   rows       [copy][sender][capacity] rows of words, push only
 * sums     sums       [copy][most tokens] rows of words, two-shot push only
 * staging  staging    [most tokens] rows, pull only
 * result   result     [most tokens] rows, two-shot pull only
 * </pre>
 *
 * @param capacity the rows that a sender's part of rows holds
 * @param oneShotMost the most tokens of a call by one-shot push
 * @param sums offset in bytes
 * @param staging offset in bytes
 * @param result offset in bytes
 * @param bytes of all
 */
public record RegionLayout(int capacity, int oneShotMost, long sums, long staging, long result, long bytes) {
    static final long AT_REARMED = 0;
    static final long REARMED_STRIDE = 128;
    static final long AT_START = 1024;
    static final long AT_MIDDLE = 33792;
    static final long AT_END = 66560;
    static final long AT_HEADERS = 99328;
    static final long AT_ROWS = 524288;
    static final int COPIES = 4;
    static final int MOST_BLOCKS = 1024;
    static final int MOST_RANKS = 8;

    /**
     * Where the choice is free, one-shot push is limited to so much a rank. Past that two-shot is always faster, which
     * sends 2 / ranks of what one-shot sends; two ranks send as much either way, and one-shot in one step.
     */
    static final long ONE_SHOT_BYTES = 4L << 20;

    /** That of two ranks: 2048 rows of 2880 bf16, 1024 of 8192. */
    static final long ONE_SHOT_BYTES_OF_TWO = 16L << 20;

    private static final long ALIGNMENT = 256;
    private static final long MOST_PACKS = 0xFFFF_FFFFL;
    private static final int MOST_TOKENS = (1 << 29) - 1;

    /** For the exchanges that calls of a plan may use. */
    static RegionLayout of(Operation operation, KernelOptions options, Set<Exchange> exchanges) {
        int most = operation.maxTokens();
        int oneShotMost = !exchanges.contains(Exchange.ONE_SHOT_PUSH)
                ? 0
                : operation.algorithm() == Algorithm.AUTO
                        ? Math.clamp(oneShotBytes(options.ranks()) / options.rowBytes(), 1, most)
                        : most;
        boolean twoShotPush = exchanges.contains(Exchange.TWO_SHOT_PUSH);
        int groups = twoShotPush ? (most + options.ranks() - 1) / options.ranks() : 0;
        int capacity = Math.max(oneShotMost, groups);
        requireCountable(operation, options, COPIES * Math.max((long) options.ranks() * capacity, most));
        boolean pull = exchanges.stream().anyMatch(exchange -> !exchange.push());
        long tensor = most * options.rowBytes();
        long sums = aligned(AT_ROWS + (long) COPIES * options.ranks() * capacity * options.rowBytes());
        long staging = aligned(sums + (twoShotPush ? COPIES * tensor : 0));
        long result = aligned(staging + (pull ? tensor : 0));
        long bytes = aligned(result + (exchanges.contains(Exchange.TWO_SHOT_PULL) ? tensor : 0));
        return new RegionLayout(capacity, oneShotMost, sums, staging, result, bytes);
    }

    private static long oneShotBytes(int ranks) {
        return ranks == 2 ? ONE_SHOT_BYTES_OF_TWO : ONE_SHOT_BYTES;
    }

    /** The kernels count packs in 32 bits, and a header has 29 for the tokens. */
    private static void requireCountable(Operation operation, KernelOptions options, long rows) {
        if (rows * options.packs() > MOST_PACKS || operation.maxTokens() > MOST_TOKENS) {
            throw new UsageException("Operation: " + operation.maxTokens() + " tokens of " + operation.hidden() + " "
                    + operation.dtype() + " on " + options.ranks() + " ranks take " + rows * options.rowBytes()
                    + " bytes of a rank's memory in one area, for at most " + MOST_TOKENS
                    + " tokens: expected less than 64 GiB. Plan fewer tokens a call.");
        }
    }

    /** The part that holds words, which begin as the reserved one. */
    long wordBytes() {
        return staging - AT_ROWS;
    }

    private static long aligned(long offset) {
        return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
