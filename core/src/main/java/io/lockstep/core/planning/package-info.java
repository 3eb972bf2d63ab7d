/**
 * What ranks of every backend do when they plan: agree by short texts, and find from how many tokens on another
 * algorithm is faster. How a call is made never lives here.
 */
@NullMarked
package io.lockstep.core.planning;

import org.jspecify.annotations.NullMarked;
