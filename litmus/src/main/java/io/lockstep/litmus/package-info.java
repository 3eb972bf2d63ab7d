/**
 * Judges protocols under the memory models: turns each into small programs, looks through every execution that the
 * model allows, and tells either that no promise can break or how one does. Results are records that the command line
 * prints; nothing here prints, and nothing here is needed to run a collective.
 */
@NullMarked
package io.lockstep.litmus;

import org.jspecify.annotations.NullMarked;
