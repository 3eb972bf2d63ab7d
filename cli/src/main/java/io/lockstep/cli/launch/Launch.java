package io.lockstep.cli.launch;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code run} starts.
 *
 * @param ranks how many times
 * @param group the group's name, the same for all
 * @param backend where the program's ranks live; null leaves it to the program
 * @param command the program and its arguments
 * @param prefix whether each line of output names its rank
 */
public record Launch(int ranks, String group, @Nullable String backend, List<String> command, boolean prefix) {}
