/**
 * What compiled kernels must contain: listings and code objects against what the protocols of core demand. Nothing here
 * needs a device.
 */
@NullMarked
package io.lockstep.gpu.inspect;

import org.jspecify.annotations.NullMarked;
