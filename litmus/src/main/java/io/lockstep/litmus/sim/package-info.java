/**
 * A machine on which the old bugs happen: devices with caches that need not be coherent, stores and loads in flight,
 * and a seeded adversary that delays what nothing orders. It runs the data path of a protocol line by line, and
 * computes the numbers of the rows that saw a wrong line. It demonstrates and guards; what it does not show is no
 * proof, which is the checker's business.
 */
@NullMarked
package io.lockstep.litmus.sim;

import org.jspecify.annotations.NullMarked;
