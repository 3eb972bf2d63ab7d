/**
 * Explores how calls are launched: several streams on one communicator, different orders on different devices, kernels
 * that cannot run side by side. Every interleaving is tried under sequential consistency, so a hang or a mix-up found
 * here happens on every machine, however strong its memory. What orders memory is judged elsewhere.
 */
@NullMarked
package io.lockstep.litmus.launch;

import org.jspecify.annotations.NullMarked;
