/**
 * NVIDIA's GPUs: the driver's library, its run-time compiler, and the backend {@code cuda} on top of them. What is
 * computed on them never lives here.
 */
@NullMarked
package io.lockstep.gpu.cuda;

import org.jspecify.annotations.NullMarked;
