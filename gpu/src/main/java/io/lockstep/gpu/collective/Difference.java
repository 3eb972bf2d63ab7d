package io.lockstep.gpu.collective;

import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * How tensors on a device differ from what they must be.
 *
 * @param wrongBits how many bits
 * @param wrongElements how many elements they are in
 * @param maxAbsErr the largest difference; infinite where one of the two is no number
 * @param first the first wrong element; null if nothing is wrong
 */
public record Difference(
        long wrongBits,
        long wrongElements,
        double maxAbsErr,
        @Nullable Element first) {
    /** Nothing is wrong. */
    public static final Difference NONE = new Difference(0, 0, 0, null);

    /**
     * A wrong element.
     *
     * @param call in which call, as the comparison was told
     * @param tensor in which tensor, as the comparison was told
     * @param index of the element, counted over the rows
     * @param expected what it must be
     * @param found what it is
     */
    public record Element(int call, int tensor, long index, float expected, float found) {
        private static final Comparator<Element> ORDER = Comparator.comparingInt(Element::call)
                .thenComparingLong(Element::index)
                .thenComparingInt(Element::tensor);
    }

    Difference plus(Difference other) {
        return new Difference(
                wrongBits + other.wrongBits,
                wrongElements + other.wrongElements,
                Math.max(maxAbsErr, other.maxAbsErr),
                earlier(first, other.first));
    }

    private static @Nullable Element earlier(@Nullable Element a, @Nullable Element b) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        return Element.ORDER.compare(a, b) <= 0 ? a : b;
    }
}
