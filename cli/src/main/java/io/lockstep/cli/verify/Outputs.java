package io.lockstep.cli.verify;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The outputs of one call, in memory of the host.
 *
 * @param reduced null where it was not asked for
 */
record Outputs(
        MemorySegment residualOut,
        MemorySegment out,
        @Nullable MemorySegment reduced) {}
