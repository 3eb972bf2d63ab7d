/**
 * What the ranks compute on: the shapes, and random tensors that anyone can make again from a seed. An element is a
 * function of (seed, iteration, tensor, row, column) alone, so each rank can know the inputs of all. Nothing here knows
 * what is done with them.
 */
@NullMarked
package io.lockstep.cli.inputs;

import org.jspecify.annotations.NullMarked;
