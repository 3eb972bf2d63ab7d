/**
 * The system calls that Lockstep needs of Linux, bound through {@link java.lang.foreign}: sockets that carry file
 * descriptors, anonymous shared memory, futexes and the affinity of threads. This is the only package that links native
 * functions or gives a raw address a size. What the calls are for never lives here: no rank, no group, no tensor.
 */
@NullMarked
package io.lockstep.core.posix;

import org.jspecify.annotations.NullMarked;
