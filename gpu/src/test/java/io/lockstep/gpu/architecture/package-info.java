/** Which room of the module may know which. */
@NullMarked
package io.lockstep.gpu.architecture;

import org.jspecify.annotations.NullMarked;
