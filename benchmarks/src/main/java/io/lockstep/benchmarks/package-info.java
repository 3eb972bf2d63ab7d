/**
 * What parts of a call cost, measured with JMH. Whole calls are measured by {@code lockstep bench}, against other
 * programs too.
 */
@NullMarked
package io.lockstep.benchmarks;

import org.jspecify.annotations.NullMarked;
