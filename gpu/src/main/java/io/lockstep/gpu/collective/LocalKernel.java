package io.lockstep.gpu.collective;

import io.lockstep.gpu.driver.Kernel;

/**
 * A kernel that knows no peer.
 *
 * @param whole for tensors whose rows are whole packs on 16-byte boundaries
 * @param any for any tensors
 */
record LocalKernel(Kernel whole, Kernel any) {
    /** What follows a sum. */
    static final String FINISH = "ls_finish_sums";

    Kernel of(boolean whole) {
        return whole ? this.whole : any;
    }
}
