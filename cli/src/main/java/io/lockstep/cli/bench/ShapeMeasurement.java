package io.lockstep.cli.bench;

import io.lockstep.cli.inputs.Shape;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was measured of a shape.
 *
 * @param shape which
 * @param blocks of each variant
 * @param algorithms what each of our variants took
 * @param absent why some of our variants cannot be measured here
 * @param skipped why it was not measured, in a sentence
 */
record ShapeMeasurement(
        Shape shape,
        Map<Variant, List<Block>> blocks,
        Map<Variant, String> algorithms,
        Map<Variant, String> absent,
        @Nullable String skipped) {}
