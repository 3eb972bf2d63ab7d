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
     * Reads no environment variable; {@link #fromEnvironment} does.
     */
    public static GroupSpec of(String group, int rank, int worldSize) {
        return new GroupSpec(group, rank, worldSize, "cpu", 0, false, Duration.ofSeconds(120), Duration.ofSeconds(30));
    }

    /**
     * The group that this process was started for, as the environment says. The first of these launchers that left its
     * variables is taken:
     *
     * <table>
     * <caption>The variables of each launcher</caption>
     * <tr><th>launcher</th><th>rank</th><th>world size</th><th>group</th></tr>
     * <tr><td>{@code lockstep run}</td><td>{@code LOCKSTEP_RANK}</td><td>{@code LOCKSTEP_WORLD_SIZE}</td>
     *     <td>{@code LOCKSTEP_GROUP}</td></tr>
     * <tr><td>torchrun</td><td>{@code RANK}</td><td>{@code WORLD_SIZE}</td>
     *     <td>{@code TORCHELASTIC_RUN_ID} and {@code MASTER_PORT}, or the one that is set</td></tr>
     * <tr><td>Open MPI</td><td>{@code OMPI_COMM_WORLD_RANK}</td><td>{@code OMPI_COMM_WORLD_SIZE}</td>
     *     <td>{@code PMIX_NAMESPACE} or {@code OMPI_MCA_ess_base_jobid}</td></tr>
     * <tr><td>Slurm</td><td>{@code SLURM_PROCID}</td><td>{@code SLURM_NTASKS}</td>
     *     <td>{@code SLURM_JOB_ID} and {@code SLURM_STEP_ID}</td></tr>
     * </table>
     *
     * With each of them, {@code LOCKSTEP_TIMEOUT} (for a call) and {@code LOCKSTEP_JOIN_TIMEOUT} are read, as seconds
     * ({@code 30}, {@code 1.5}) or with a unit ({@code 30s}, {@code 500ms}), and {@code LOCKSTEP_THREADS} and
     * {@code LOCKSTEP_BACKEND}. {@link #of} reads none of these.
     *
     * @throws UsageException if no launcher left its variables, one is missing or cannot be read, or the ranks are
     *     spread over several machines; it names the variable, what was found and what was expected
     */
    public static GroupSpec fromEnvironment() {
        return Environment.parse(System.getenv());
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
