package io.lockstep.cli.ranks;

import io.lockstep.core.Communicator;
import java.util.function.Function;

/**
 * A kind of work that ranks do for a command.
 *
 * @param name how the rank's process is told
 * @param orders the type of its orders
 * @param reports the type of its reports
 * @param start makes the worker of a rank that has joined its group
 */
public record Role<O, R>(String name, Class<O> orders, Class<R> reports, Function<Communicator, Worker<O, R>> start) {}
