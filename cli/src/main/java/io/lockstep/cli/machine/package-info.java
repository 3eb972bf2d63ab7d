/**
 * What the machine has: cores, memory, its name for itself. Read from the operating system, never changed. What a
 * command makes of it is not known here.
 */
@NullMarked
package io.lockstep.cli.machine;

import org.jspecify.annotations.NullMarked;
