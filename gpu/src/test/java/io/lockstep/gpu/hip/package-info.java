/** Tests of the HIP layer against the real libraries, which need no device to say that there is none. */
@NullMarked
package io.lockstep.gpu.hip;

import org.jspecify.annotations.NullMarked;
