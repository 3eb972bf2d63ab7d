/**
 * The second engine: each model once more, in relational logic, solved by Kodkod with SAT4J. It shares the programs
 * with the checker and nothing else, so that a fault in either shows as a disagreement. It is used in tests only.
 */
@NullMarked
package io.lockstep.litmus.kodkod;

import org.jspecify.annotations.NullMarked;
