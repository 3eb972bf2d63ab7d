/**
 * Devices that are threads of this machine, for tests that need no GPU: a {@link io.lockstep.gpu.driver.Driver} that
 * runs the kernels themselves, compiled for the host, so that everything above the driver is tried as it is.
 */
@NullMarked
package io.lockstep.gpu.host;

import org.jspecify.annotations.NullMarked;
