/**
 * The CPU backend: ranks that share memory, as processes or as threads of one JVM. A {@link io.lockstep.core.cpu.Lane}
 * is the heart: one thread of one rank, which exchanges its share of the rows with the same lane of the other ranks.
 * Every ordered access to shared memory goes through {@link io.lockstep.core.cpu.SharedWords}, every offset comes from
 * a layout class, and all arithmetic from {@code io.lockstep.core.kernels}.
 */
@NullMarked
package io.lockstep.core.cpu;

import org.jspecify.annotations.NullMarked;
