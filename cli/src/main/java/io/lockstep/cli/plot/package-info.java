/** Draws what {@code bench --json} wrote, as a PNG, without a display. It measures nothing and runs no rank. */
@NullMarked
package io.lockstep.cli.plot;

import org.jspecify.annotations.NullMarked;
