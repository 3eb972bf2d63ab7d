/**
 * What GPUs of any vendor can do: devices, code, launches, streams, events, graphs, memory and its sharing. Nothing
 * here knows of ranks or of collectives, and nothing behind it is named.
 */
@NullMarked
package io.lockstep.gpu.driver;

import org.jspecify.annotations.NullMarked;
