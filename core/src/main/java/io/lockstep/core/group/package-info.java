/**
 * How ranks find each other and stay in touch: the rendezvous of processes, the group of threads of one JVM, the small
 * messages between ranks, the one memory that all of them can map, and who is gone. What that memory holds never lives
 * here: no layout, no signal, no arithmetic.
 */
@NullMarked
package io.lockstep.core.group;

import org.jspecify.annotations.NullMarked;
