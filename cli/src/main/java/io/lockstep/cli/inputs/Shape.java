package io.lockstep.cli.inputs;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.core.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The shape of an input.
 *
 * @param tokens the number of rows
 * @param hidden the length of a row
 */
public record Shape(int tokens, int hidden) {
    private static final Pattern TEXT = Pattern.compile("([0-9]{1,9})x([0-9]{1,9})");

    /** The ten that all-reduce + RMSNorm is measured with in the field. */
    public static final List<Shape> BENCH = List.of(
            new Shape(1, 4096),
            new Shape(16, 4096),
            new Shape(64, 2880),
            new Shape(128, 2880),
            new Shape(1024, 2880),
            new Shape(1319, 2880),
            new Shape(2048, 2880),
            new Shape(4096, 2880),
            new Shape(8192, 2880),
            new Shape(16384, 2880));

    /** Those, and three more: a single row, a row no vector divides, and a long row. */
    public static final List<Shape> VERIFY;

    static {
        List<Shape> verify = new ArrayList<>(BENCH);
        verify.add(new Shape(1, 2880));
        verify.add(new Shape(13, 2040));
        verify.add(new Shape(17, 7168));
        verify.sort(java.util.Comparator.comparingLong(Shape::elements));
        VERIFY = List.copyOf(verify);
    }

    /** The number of elements. */
    public long elements() {
        return (long) tokens * hidden;
    }

    /** The size of a tensor of this shape. */
    public long bytes(DType dtype) {
        return elements() * dtype.bytes();
    }

    /**
     * Shapes as options give them: {@code 1x2880,64x2880}, and {@code bench} and {@code verify} for the two sets.
     *
     * @throws CommandFailure if a word is no shape
     */
    public static List<Shape> parse(String list) {
        List<Shape> shapes = new ArrayList<>();
        for (String word : list.split(",", -1)) {
            switch (word.strip()) {
                case "bench" -> shapes.addAll(BENCH);
                case "verify" -> shapes.addAll(VERIFY);
                default -> shapes.add(parseOne(word.strip()));
            }
        }
        return List.copyOf(new java.util.LinkedHashSet<>(shapes));
    }

    private static Shape parseOne(String word) {
        Matcher matcher = TEXT.matcher(word);
        if (!matcher.matches()) {
            throw CommandFailure.usage(
                    "'" + word + "' is no shape: expected TOKENSxHIDDEN, such as 64x2880, 'bench' or "
                            + "'verify', with commas between.");
        }
        Shape shape = new Shape(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
        if (shape.tokens < 1 || shape.hidden < 1 || shape.elements() > Integer.MAX_VALUE) {
            throw CommandFailure.usage("The shape " + word + " cannot be computed: expected 1 to 2^31 - 1 elements.");
        }
        return shape;
    }

    @Override
    public String toString() {
        return tokens + "x" + hidden;
    }
}
