/** Short programs that use Lockstep as a stranger would. Nothing of Lockstep itself lives here. */
@NullMarked
package io.lockstep.examples;

import org.jspecify.annotations.NullMarked;
