package io.lockstep.core.cpu;

import io.lockstep.core.UsageException;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What a rank can be made to do wrong, so that a check can show that it sees it. */
public enum Fault {
    PUBLISH_BEFORE_WRITE("publish-before-write", "announces its input before it has written it"),
    SKIP_REUSE_WAIT("skip-reuse-wait", "writes a slot again while the other ranks still read it"),
    READ_WRONG_RANK("read-wrong-rank", "adds its own input in place of its neighbour's"),
    LOSE_LAST_ROW("lose-last-row", "leaves the last row of the tensor out"),
    SKIP_ROUNDING("skip-rounding", "cuts the sum off where it should round it");

    private final String label;
    private final String description;

    Fault(String label, String description) {
        this.label = label;
        this.description = description;
    }

    /** The name on the command line. */
    public String label() {
        return label;
    }

    /** What the faulty rank does, as the end of a sentence. */
    public String describe() {
        return description;
    }

    /**
     * The fault with this label.
     *
     * @throws UsageException if there is none
     */
    public static Fault of(String label) {
        return Arrays.stream(values())
                .filter(fault -> fault.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new UsageException("Unknown fault '" + label + "': expected "
                        + Arrays.stream(values()).map(Fault::label).collect(Collectors.joining(", ")) + "."));
    }

    @Override
    public String toString() {
        return label;
    }
}
