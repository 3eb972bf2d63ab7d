package io.lockstep.cli.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * Under what conditions a block was run: only blocks of one kind are compared with each other. On the host it is how
 * near the cores of ranks 0 and 1 lay to each other, since virtual machines move them about, and both the times and the
 * order of the variants change with it; on GPUs it is how the calls were made.
 */
public enum Placement {
    /** A flag's round trip took less than 200 ns before and after the block: one cache. */
    NEAR("near cores"),
    /** More than 250 ns before and after: two caches. */
    FAR("far cores"),
    /** Anything else, or it changed. */
    MIXED("mixed cores"),
    /** On GPUs: calls in a captured graph. */
    GRAPH("calls in a graph"),
    /** On GPUs: call by call, each between two events. */
    EAGER("eager calls");

    private static final double NEAR_NANOS = 200;
    private static final double FAR_NANOS = 250;

    private final String words;

    Placement(String words) {
        this.words = words;
    }

    static Placement of(double before, double after) {
        if (before < NEAR_NANOS && after < NEAR_NANOS) {
            return NEAR;
        }
        return before > FAR_NANOS && after > FAR_NANOS ? FAR : MIXED;
    }

    /** In tables and files. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** In sentences. */
    public String words() {
        return words;
    }

    /** In sentences, for a label of a file. */
    public static String words(String label) {
        return Arrays.stream(values())
                .filter(known -> known.label().equals(label))
                .findFirst()
                .map(Placement::words)
                .orElse(label);
    }
}
