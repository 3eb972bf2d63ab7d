package io.lockstep.core;

import java.time.Duration;

/**
 * Which group to join, and as whom.
 *
 * @param group the group's name: letters, digits, '.', '_' and '-'; ranks with the same name on one machine meet
 * @param rank this rank, 0 to worldSize - 1
 * @param worldSize the number of ranks, 2 to 8
 * @param backend the name of the backend
 * @param threads how many threads each rank computes with; 0 lets the backend choose from the cores and the ranks
 * @param bindThreads whether the threads are bound to this rank's share of the cores
 * @param joinTimeout how long joining may take
 * @param callTimeout how long a call waits for another rank
 */
public record GroupSpec(
        String group,
        int rank,
        int worldSize,
        String backend,
        int threads,
        boolean bindThreads,
        Duration joinTimeout,
        Duration callTimeout) {

    /** The most ranks a group may have. */
    public static final int MAX_WORLD_SIZE = 8;

    public GroupSpec {
        require(worldSize >= 2 && worldSize <= MAX_WORLD_SIZE, "world size is " + worldSize + ": expected 2 to 8.");
        require(rank >= 0 && rank < worldSize, "rank is " + rank + ": expected 0 to " + (worldSize - 1) + ".");
        require(
                group.matches("[A-Za-z0-9._-]{1,64}") && !group.startsWith("."),
                "group is '" + group
                        + "': expected 1 to 64 letters, digits, '.', '_' or '-', not starting with a dot.");
        require(threads >= 0, "threads is " + threads + ": expected 1 or more, or 0 to let the backend choose.");
        require(joinTimeout.isPositive(), "the timeout for joining is " + joinTimeout + ": expected more than 0.");
        require(callTimeout.isPositive(), "the timeout for calls is " + callTimeout + ": expected more than 0.");
    }

    /**
     * Rank {@code rank} of {@code worldSize} CPU ranks, with the default deadlines: 120 s for joining, 30 s for a call.
     */
    public static GroupSpec of(String group, int rank, int worldSize) {
        return new GroupSpec(group, rank, worldSize, "cpu", 0, false, Duration.ofSeconds(120), Duration.ofSeconds(30));
    }

    public GroupSpec withBackend(String newBackend) {
        return new GroupSpec(group, rank, worldSize, newBackend, threads, bindThreads, joinTimeout, callTimeout);
    }

    public GroupSpec withThreads(int newThreads) {
        return new GroupSpec(group, rank, worldSize, backend, newThreads, bindThreads, joinTimeout, callTimeout);
    }

    public GroupSpec withBindThreads(boolean newBindThreads) {
        return new GroupSpec(group, rank, worldSize, backend, threads, newBindThreads, joinTimeout, callTimeout);
    }

    public GroupSpec withJoinTimeout(Duration newTimeout) {
        return new GroupSpec(group, rank, worldSize, backend, threads, bindThreads, newTimeout, callTimeout);
    }

    public GroupSpec withCallTimeout(Duration newTimeout) {
        return new GroupSpec(group, rank, worldSize, backend, threads, bindThreads, joinTimeout, newTimeout);
    }

    private static void require(boolean holds, String sentence) {
        if (!holds) {
            throw new UsageException("Group: " + sentence);
        }
    }
}
