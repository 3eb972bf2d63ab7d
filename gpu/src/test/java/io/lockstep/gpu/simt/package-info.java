/**
 * The kernels on the host: compiled by g++ against a shim of fibers, run on all ranks at once and compared with the
 * reference. No GPU and no driver is needed.
 */
@NullMarked
package io.lockstep.gpu.simt;

import org.jspecify.annotations.NullMarked;
