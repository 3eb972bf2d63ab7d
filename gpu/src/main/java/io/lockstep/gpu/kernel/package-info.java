/**
 * The kernels' source as a compiler gets it: one text without headers, the options that fix its shape, and the folder
 * where compiled code is kept. What runs it never lives here.
 */
@NullMarked
package io.lockstep.gpu.kernel;

import org.jspecify.annotations.NullMarked;
