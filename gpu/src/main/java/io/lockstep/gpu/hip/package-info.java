/**
 * AMD GPUs behind the interface of {@link io.lockstep.gpu.driver}: the HIP runtime, its compiler hipRTC in a process of
 * its own, and clang in its place. Nothing here knows of collectives.
 */
@NullMarked
package io.lockstep.gpu.hip;

import org.jspecify.annotations.NullMarked;
