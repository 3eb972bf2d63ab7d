package io.lockstep.cli.launch;

import java.util.List;

/**
 * What {@code run} starts.
 *
 * @param ranks how many times
 * @param group the group's name, the same for all
 * @param command the program and its arguments
 * @param prefix whether each line of output names its rank
 */
public record Launch(int ranks, String group, List<String> command, boolean prefix) {}
