/**
 * What ranks of every backend do around their calls: agree by short texts, find from how many tokens on another
 * algorithm is faster, and let one thread at a time use a communicator. How a call is made never lives here.
 */
@NullMarked
package io.lockstep.core.planning;

import org.jspecify.annotations.NullMarked;
