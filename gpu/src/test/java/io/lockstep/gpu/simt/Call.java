package io.lockstep.gpu.simt;

import io.lockstep.gpu.kernel.Exchange;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;

/**
 * One call of all ranks.
 *
 * @param exchange how
 * @param tokens of each rank; 0 for one that never comes again
 * @param shift of each rank: bytes by which its tensors lie behind a 16-byte boundary
 * @param how the options of the call
 * @param weight of the norm, as bytes; empty without a norm
 * @param inputs of each rank, as bytes
 * @param residuals of each rank, as bytes; empty without a residual
 */
record Call(
        Exchange exchange,
        List<Integer> tokens,
        List<Integer> shift,
        Set<How> how,
        MemorySegment weight,
        List<MemorySegment> inputs,
        List<MemorySegment> residuals) {
    /** What a caller may choose. The order is that of the bits in {@code driver.cpp}. */
    enum How {
        WANTS_REDUCED,
        OUT_IS_INPUT,
        RESIDUAL_OUT_IS_RESIDUAL,
        /** The kernel for any tensors, even where they are whole packs. */
        ANY_ENTRY
    }

    @Override
    public String toString() {
        return exchange + " of " + tokens + " tokens" + (how.isEmpty() ? "" : " " + how)
                + (shift.stream().allMatch(bytes -> bytes == 0) ? "" : " shifted by " + shift);
    }
}
