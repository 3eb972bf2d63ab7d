package io.lockstep.cli.bench;

import io.lockstep.cli.inputs.Shape;
import io.lockstep.core.DType;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is to be measured.
 *
 * @param worldSize the number of ranks
 * @param shapes in the order given
 * @param dtype the type of every tensor
 * @param variants those that take turns; the first is what all is about
 * @param baseline the name of the variant that the others are compared with; null for none
 * @param budget how long all shapes may take together
 * @param warmup how long each variant runs before it is measured, for each shape
 * @param block how long a block is
 * @param threads of each rank; 0 lets the backend choose
 * @param bind whether the ranks are bound to cores
 * @param against the external program and its arguments; empty for none
 * @param backend where the ranks live
 * @param settings how calls on GPUs are made, in turns; none on the host
 * @param asProcesses whether each rank is a process; else a thread of this JVM
 */
public record BenchOptions(
        int worldSize,
        List<Shape> shapes,
        DType dtype,
        List<Variant> variants,
        @Nullable String baseline,
        Duration budget,
        Duration warmup,
        Duration block,
        int threads,
        boolean bind,
        List<String> against,
        String backend,
        List<Placement> settings,
        boolean asProcesses) {
    boolean onGpus() {
        return !settings.isEmpty();
    }
}
