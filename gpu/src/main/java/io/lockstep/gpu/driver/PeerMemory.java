package io.lockstep.gpu.driver;

/**
 * Memory of one device that others reach, as one of them maps it.
 *
 * @param home the device that it lies on
 * @param device the one that this mapping is for
 * @param address of the first byte in this mapping
 * @param bytes the driver may have rounded them up
 * @param handle what the driver knows it by
 */
public record PeerMemory(int home, int device, long address, long bytes, long handle) {}
