package io.lockstep.core;

/** The element type of a tensor, in the byte order of the machine. */
public enum DType {
    /** bfloat16: 8 bits of exponent, 7 of fraction. The upper half of an fp32. */
    BF16("bf16", 2),
    /** IEEE 754 binary16: 5 bits of exponent, 10 of fraction. */
    FP16("fp16", 2),
    /** IEEE 754 binary32. */
    FP32("fp32", 4);

    private final String label;
    private final int bytes;

    DType(String label, int bytes) {
        this.label = label;
        this.bytes = bytes;
    }

    /** The name on the command line and in messages: {@code bf16}, {@code fp16} or {@code fp32}. */
    public String label() {
        return label;
    }

    /** The size of one element in bytes. */
    public int bytes() {
        return bytes;
    }

    /**
     * The type with this label.
     *
     * @throws UsageException if there is none
     */
    public static DType of(String label) {
        for (DType dtype : values()) {
            if (dtype.label.equals(label)) {
                return dtype;
            }
        }
        throw new UsageException("Unknown dtype '" + label + "': expected bf16, fp16 or fp32.");
    }

    @Override
    public String toString() {
        return label;
    }
}
