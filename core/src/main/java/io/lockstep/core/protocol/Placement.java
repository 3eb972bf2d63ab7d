package io.lockstep.core.protocol;

/** Whether what comes before and after a barrier shares its kernel. */
public enum Placement {
    /** Everything, all rounds included, runs in one kernel. */
    SAME_KERNEL("same kernel"),
    /** Every kernel boundary of the protocol is there. */
    LATER_KERNEL("later kernel");

    private final String label;

    Placement(String label) {
        this.label = label;
    }

    /** The name in a table. */
    public String label() {
        return label;
    }
}
