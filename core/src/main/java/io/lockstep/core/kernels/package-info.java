/**
 * The arithmetic of the CPU backend, on absolute addresses: sums, rounding, squares, scaling.
 * {@link io.lockstep.core.kernels.Kernels} is the one door; behind it stand the same loops once in scalar code and once
 * in the Vector API, for each dtype. Nothing here knows of ranks, signals or deadlines.
 *
 * <p>The loops keep a shape that the compiler needs. One loop a method, few loads and stores: C2 gives up inlining the
 * Vector API in a compiled method that grows past a fixed number of nodes, and then allocates every vector, at a tenth
 * of the speed and without a word. For the same reason no loop may be inlined into its caller: {@code Kernels} calls
 * through method handles that it holds in instance fields, which the compiler takes for unknown.
 */
@NullMarked
package io.lockstep.core.kernels;

import org.jspecify.annotations.NullMarked;
