/**
 * Whether the fused step is right on this machine: ranks with inputs of their own run it, and each compares every bit
 * of its outputs with the scalar specification computed from all ranks' seeds. A fault may be planted, to see that it
 * would be found. How ranks are started is the business of {@code ranks}.
 */
@NullMarked
package io.lockstep.cli.verify;

import org.jspecify.annotations.NullMarked;
