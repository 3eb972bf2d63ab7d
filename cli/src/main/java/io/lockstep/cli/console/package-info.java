/**
 * How a person sees Lockstep: the two streams, tables, the progress line, exit codes and failures as sentences. Colour
 * and progress appear on a terminal only. No command's logic lives here.
 */
@NullMarked
package io.lockstep.cli.console;

import org.jspecify.annotations.NullMarked;
