package io.lockstep.cli.inputs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Shapes as options give them. */
final class ShapeTest {
    @Test
    void theSetsHaveTenAndThirteenShapes() {
        assertThat(Shape.parse("bench")).hasSize(10);
        assertThat(Shape.parse("verify")).hasSize(13).containsAll(Shape.BENCH);
    }

    @Test
    void shapesAndSetsMayBeMixedAndNoneIsTakenTwice() {
        assertThat(Shape.parse("1x4096, 3x5,bench")).hasSize(11).startsWith(new Shape(1, 4096), new Shape(3, 5));
    }
}
