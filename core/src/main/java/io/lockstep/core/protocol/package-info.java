/**
 * How ranks order their accesses to shared memory, as data: who does which step, in what order, at what scope, on which
 * copy of which buffer, and what that promises. The checker turns it into litmus programs, the kernels into
 * compile-time options, and the tests of the CPU backend into the sequence of verbs that a call must show. Nothing here
 * touches memory, and nothing of it is part of the public API.
 */
@NullMarked
package io.lockstep.core.protocol;

import org.jspecify.annotations.NullMarked;
