/**
 * Starts a user's program once per rank, passes its output on and ends it. Knows processes, streams and signals; knows
 * nothing of tensors or of what the program does.
 */
@NullMarked
package io.lockstep.cli.launch;

import org.jspecify.annotations.NullMarked;
