/** Tests of the inspection, each rule with code that breaks it. */
@NullMarked
package io.lockstep.gpu.inspect;

import org.jspecify.annotations.NullMarked;
