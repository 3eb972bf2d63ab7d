/**
 * Files of tensors in the safetensors format: eight bytes of length, a JSON header, the data. They are mapped, never
 * read into the heap, and everything a header claims is checked before a byte of data is touched. What the tensors mean
 * is not known here.
 */
@NullMarked
package io.lockstep.cli.safetensors;

import org.jspecify.annotations.NullMarked;
