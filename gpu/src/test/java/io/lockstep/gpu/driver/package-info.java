/** Tests of what drivers of every vendor share. */
@NullMarked
package io.lockstep.gpu.driver;

import org.jspecify.annotations.NullMarked;
