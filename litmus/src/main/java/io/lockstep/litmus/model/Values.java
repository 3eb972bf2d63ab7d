package io.lockstep.litmus.model;

/**
 * Which values a read may return.
 *
 * @param test how to compare
 * @param value with what
 */
public record Values(Test test, long value) {
    /** Every value. */
    public static final Values ANY = new Values(Test.ANY, 0);

    /** The comparisons. */
    public enum Test {
        /** Every value. */
        ANY,
        /** This one. */
        EXACTLY,
        /** This one or a greater one. */
        AT_LEAST,
        /** Every other. */
        OTHER_THAN
    }

    /** Whether a value is among them. */
    public boolean contain(long candidate) {
        return switch (test) {
            case ANY -> true;
            case EXACTLY -> candidate == value;
            case AT_LEAST -> candidate >= value;
            case OTHER_THAN -> candidate != value;
        };
    }
}
