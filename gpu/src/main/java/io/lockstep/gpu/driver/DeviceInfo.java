package io.lockstep.gpu.driver;

/**
 * A device, as its driver describes it.
 *
 * @param number the driver counts from 0
 * @param name such as {@code NVIDIA H200}
 * @param architecture what code is compiled for: {@code sm_90}, {@code gfx942}
 * @param id tells it from every other device, in every process
 * @param multiprocessors how many blocks run at once, at least
 * @param wave threads that run together: 32 or 64
 * @param memoryBytes in all
 */
public record DeviceInfo(
        int number, String name, String architecture, String id, int multiprocessors, int wave, long memoryBytes) {}
