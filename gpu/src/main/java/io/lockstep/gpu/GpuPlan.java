package io.lockstep.gpu;

import io.lockstep.core.HostBuffer;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;

/**
 * A plan whose calls run on a GPU, one after the other on one stream. Another stream needs another plan.
 *
 * <p>A call whose tensors all lie on the device is queued and {@link #run} returns at once. A failure of it shows at
 * the next {@link #run}, at {@link #check} or not at all if neither comes; the outputs of a failed call are undefined.
 * A call with a tensor on the host is complete when {@link #run} returns.
 */
public interface GpuPlan extends Plan {
    /** The stream of its calls. */
    DeviceStream stream();

    /**
     * Whether its bits are those of the contract, the same on every rank and machine. They are not where the devices do
     * not reach one another's memory: the vendor's library (NCCL) then sums, in an order and with roundings of its own,
     * and a kernel does what follows the sum.
     */
    boolean exact();

    /**
     * {@inheritDoc}
     *
     * @throws io.lockstep.core.UsageException always: a plan on a GPU lends no memory of the host
     */
    @Override
    HostBuffer input();

    /**
     * Waits for all calls and tells whether they went well.
     *
     * @throws io.lockstep.core.DisagreementException if another rank made a different call
     * @throws io.lockstep.core.PeerLostException if another rank died or left
     * @throws io.lockstep.core.CollectiveTimeoutException if another rank did not come in time
     */
    void check();

    /**
     * Records the calls that {@code calls} makes of this plan, and runs none of them. Their tensors lie on the device
     * and are used at the same addresses at every launch. Every rank captures the same calls.
     */
    GpuGraph capture(Runnable calls);

    @Override
    void run(int tokens, Tensors tensors);
}
