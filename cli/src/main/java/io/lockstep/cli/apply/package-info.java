/**
 * One call on tensors of a file: which tensors make which operation, the ranks as threads of this JVM, the outputs to
 * another file. How a file is laid out is the business of {@code safetensors}.
 */
@NullMarked
package io.lockstep.cli.apply;

import org.jspecify.annotations.NullMarked;
