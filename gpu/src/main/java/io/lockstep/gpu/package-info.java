/**
 * Ranks on GPUs: what {@link io.lockstep.core.Communicator} and {@link io.lockstep.core.Plan} have there beside what
 * all ranks have. A program that keeps its tensors on the host needs nothing of it.
 */
@NullMarked
package io.lockstep.gpu;

import org.jspecify.annotations.NullMarked;
