/**
 * What the commands know of ranks on GPUs: which exchanges and protocols there are by name, and the plans for them.
 * What is done with a plan is the business of the command.
 */
@NullMarked
package io.lockstep.cli.gpu;

import org.jspecify.annotations.NullMarked;
