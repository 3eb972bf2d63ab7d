/**
 * The commands of {@code ./lockstep}: their options, their help and their exit codes. The work behind each lies in a
 * package of its own beside this one. Nothing here computes, and nothing outside this module prints.
 */
@NullMarked
package io.lockstep.cli;

import org.jspecify.annotations.NullMarked;
