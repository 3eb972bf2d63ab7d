package io.lockstep.gpu;

import io.lockstep.core.Communicator;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.Operation;
import java.lang.foreign.MemorySegment;

/** A rank on a GPU. */
public interface GpuCommunicator extends Communicator {
    /** The number of its device, as the driver counts. */
    int device();

    @Override
    GpuPlan plan(Operation operation);

    /** As {@link #plan(Operation)}, with calls on a stream of the caller, on this rank's device. */
    GpuPlan plan(Operation operation, DeviceStream stream);

    /**
     * Memory on this rank's device, its contents undefined. It is given back by {@link #free} or when the communicator
     * closes.
     *
     * @throws io.lockstep.core.DriverException if the device has too little
     */
    DeviceSpan allocate(long bytes);

    /** Gives memory of {@link #allocate} back; no call may be using it. */
    void free(DeviceSpan memory);

    /** Copies to the device, and returns when that is done. Both are of one size. */
    void upload(MemorySegment from, DeviceSpan to);

    /** Copies from the device, and returns when that is done. Both are of one size. */
    void download(DeviceSpan from, MemorySegment to);
}
