/**
 * Reads PTX litmus tests in the style of herd and says whether their condition holds under the PTX model. A file that
 * uses what the model leaves out is named and skipped, never judged by half. Protocols, and how they unfold, are
 * unknown here.
 */
@NullMarked
package io.lockstep.litmus.file;

import org.jspecify.annotations.NullMarked;
