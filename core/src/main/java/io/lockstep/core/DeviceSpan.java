package io.lockstep.core;

/**
 * Memory of a GPU, by its address there. Nothing on the host may read or write it; it is valid for as long as whoever
 * allocated it says.
 *
 * @param device the number of the device, as its driver counts
 * @param address of the first byte, as the device maps it; elements lie row after row without gaps
 * @param bytes how many there are; it may be more than a call needs
 */
public record DeviceSpan(int device, long address, long bytes) implements Buffer {
    public DeviceSpan {
        if (device < 0 || address <= 0 || bytes < 1) {
            throw new UsageException("Device memory of " + bytes + " bytes at " + address + " on device " + device
                    + ": expected a device from 0 on, a valid address and at least 1 byte.");
        }
    }

    /**
     * A part of it.
     *
     * @throws UsageException if the part does not lie within
     */
    public DeviceSpan slice(long offset, long partBytes) {
        if (offset < 0 || partBytes < 1 || offset > bytes - partBytes) {
            throw new UsageException(
                    "Device memory of " + bytes + " bytes has no part of " + partBytes + " from " + offset + " on.");
        }
        return new DeviceSpan(device, address + offset, partBytes);
    }
}
