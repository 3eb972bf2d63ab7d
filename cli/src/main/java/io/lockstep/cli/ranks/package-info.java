/**
 * Starts ranks for the commands that need some, as processes or as threads, hands each the same orders and collects
 * their reports. Every wait ends: a rank that dies, fails or falls silent is named. What the orders mean is the
 * business of the worker that a command brings.
 */
@NullMarked
package io.lockstep.cli.ranks;

import org.jspecify.annotations.NullMarked;
