package io.lockstep.core;

import java.util.List;

/** Where the ranks of a group live: found by {@link java.util.ServiceLoader}. */
public interface Backend {
    /** The name that a {@link GroupSpec} asks for: {@code cpu}. */
    String name();

    /** Whether it can be used on this machine, and why not where it cannot. Starts nothing. */
    Readiness probe();

    /** See {@link Communicator#join}. */
    Communicator join(GroupSpec spec);

    /** See {@link Communicator#threads}. */
    List<Communicator> threads(GroupSpec spec);
}
