package io.lockstep.gpu;

/**
 * A stream by its raw handle ({@code CUstream}, {@code hipStream_t}), so that it can be given to other libraries.
 *
 * @param device the number of the device, as its driver counts
 * @param handle never 0: the default stream is no stream of its own
 */
public record DeviceStream(int device, long handle) {}
