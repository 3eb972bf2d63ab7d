package io.lockstep.core.protocol;

import java.util.List;
import java.util.Set;

/**
 * A way for ranks to exchange data without reading too early or writing too early.
 *
 * @param name how the command line calls it
 * @param summary one sentence for people
 * @param models the memory models it runs under
 * @param steps what one round does, in order
 * @param promises what it promises, or in a historical protocol what it should have promised
 * @param expectation the verdict it deserves
 */
public record Protocol(
        String name,
        String summary,
        Set<Model> models,
        List<Step> steps,
        List<Promise> promises,
        Expectation expectation) {

    /** Keeps its own copies. */
    public Protocol {
        models = Set.copyOf(models);
        steps = List.copyOf(steps);
        promises = List.copyOf(promises);
    }

    /** Whether it runs on CPU ranks, one thread a lane, rather than on work-groups of a GPU. */
    public boolean isCpu() {
        return models.contains(Model.JAVA);
    }

    /** The same protocol with other steps, for judging what a change would do. */
    public Protocol withSteps(String newName, List<Step> newSteps) {
        return new Protocol(newName, summary, models, newSteps, promises, expectation);
    }

    /** The same protocol with another expectation. */
    public Protocol expecting(Expectation other) {
        return new Protocol(name, summary, models, steps, promises, other);
    }

    /** How many rounds ahead its earliest step is done. */
    public int lookAhead() {
        return steps.stream().mapToInt(Step::ahead).max().orElse(0);
    }

    /** The most copies of any of its buffers: how many rounds pass before memory is used again. */
    public int rotation() {
        return promises.stream()
                .mapToInt(promise -> promise.buffer().copies())
                .max()
                .orElse(1);
    }

    /** Whether it may run with everything in one kernel. */
    public boolean allows(Placement placement) {
        boolean boundaries = steps.stream().anyMatch(step -> step instanceof Step.KernelBoundary);
        boolean needed =
                steps.stream().anyMatch(step -> step instanceof Step.KernelBoundary boundary && boundary.always());
        return placement == Placement.LATER_KERNEL ? boundaries : !needed;
    }
}
