package io.lockstep.cli.verify;

import io.lockstep.cli.inputs.Shape;
import io.lockstep.core.DType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is to be verified.
 *
 * @param worldSize the number of ranks
 * @param shapes in the order given
 * @param dtype the type of every tensor
 * @param algorithms those that run on the same inputs, by label
 * @param seed what all inputs come from
 * @param iterations of each shape; 0 for as many as the budget allows
 * @param budget how long all shapes may take together
 * @param fault what to do wrong on purpose, by label
 * @param faultyRank who does
 * @param saveFailure the folder that gets the first wrong call
 * @param threads of each rank; 0 lets the backend choose
 * @param asProcesses whether each rank is a process; else a thread of this JVM
 * @param backend where the ranks live
 */
public record VerifyOptions(
        int worldSize,
        List<Shape> shapes,
        DType dtype,
        List<String> algorithms,
        long seed,
        int iterations,
        Duration budget,
        @Nullable String fault,
        int faultyRank,
        @Nullable Path saveFailure,
        int threads,
        boolean asProcesses,
        String backend) {

    /** Whether ranks live on GPUs. */
    boolean onGpus() {
        return !backend.equals("cpu");
    }

    /** What the ranks are told of a shape. */
    VerifyOrder.Subject subject(Shape shape) {
        return new VerifyOrder.Subject(
                shape.tokens(),
                shape.hidden(),
                dtype,
                io.lockstep.core.Operation.DEFAULT_EPSILON,
                algorithms,
                seed,
                fault,
                faultyRank);
    }
}
