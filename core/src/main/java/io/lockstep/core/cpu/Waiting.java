package io.lockstep.core.cpu;

import java.time.Duration;

/**
 * How a rank waits for another.
 *
 * @param spins polls before anything else
 * @param yields how often the processor is offered to another thread before sleeping
 * @param crowded whether there are more threads of ranks than processors: a sleeper is then always woken, at the price
 *     of a fence in every publish; otherwise a wake-up may be missed, and the sleeper looks by itself every millisecond
 * @param deadline how long a call waits for another rank
 */
record Waiting(int spins, int yields, boolean crowded, Duration deadline) {
    static Waiting of(boolean crowded, Duration deadline) {
        return crowded ? new Waiting(10, 200, true, deadline) : new Waiting(4000, 200, false, deadline);
    }
}
