/**
 * Events, relations and the memory models over them, each model in one file to be read beside its text. A model says
 * which reads may return which writes; the search tries them all; the explanation tells one execution as a chain of
 * events. Nothing here knows of protocols by name, of files or of printing.
 */
@NullMarked
package io.lockstep.litmus.model;

import org.jspecify.annotations.NullMarked;
