/**
 * How fast the fused step is here, told fairly: variants take turns in short blocks of the same run, a sample is the
 * slowest rank of an iteration, and blocks are kept apart by how near the cores lay to each other. Drawing the result
 * is the business of {@code plot}.
 */
@NullMarked
package io.lockstep.cli.bench;

import org.jspecify.annotations.NullMarked;
