/**
 * The specification, as scalar code: what every fast path must equal bit for bit. It is written to be read beside
 * {@code docs/numerics.md}, not to be fast. Nothing here knows of ranks' memory, threads or vectors.
 */
@NullMarked
package io.lockstep.core.reference;

import org.jspecify.annotations.NullMarked;
