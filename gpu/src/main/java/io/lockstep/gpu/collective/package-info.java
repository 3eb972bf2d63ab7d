/**
 * The collective on GPUs of any vendor: the memory of a plan, its calls, and the communicator that makes plans. It
 * knows a {@link io.lockstep.gpu.driver.Driver} and no vendor.
 */
@NullMarked
package io.lockstep.gpu.collective;

import org.jspecify.annotations.NullMarked;
