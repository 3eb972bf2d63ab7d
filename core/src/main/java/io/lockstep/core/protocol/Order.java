package io.lockstep.core.protocol;

/** How strongly an access or a fence orders the accesses around it. The words are those of C++ atomics. */
public enum Order {
    /** An ordinary access, not atomic: two that conflict must be ordered by something else. */
    WEAK("weak"),
    /** Atomic, and no more: it orders nothing around it. */
    RELAXED("relaxed"),
    /** What comes after stays after. */
    ACQUIRE("acquire"),
    /** What came before stays before. */
    RELEASE("release"),
    /** Both. */
    ACQUIRE_RELEASE("acq_rel"),
    /** Both, and in one order with every other of its kind. */
    SEQUENTIALLY_CONSISTENT("sc");

    private final String label;

    Order(String label) {
        this.label = label;
    }

    /** The spelling of PTX, for example {@code acq_rel}. */
    public String label() {
        return label;
    }

    /** Whether later accesses are kept behind. */
    public boolean acquires() {
        return this == ACQUIRE || this == ACQUIRE_RELEASE || this == SEQUENTIALLY_CONSISTENT;
    }

    /** Whether earlier accesses are kept in front. */
    public boolean releases() {
        return this == RELEASE || this == ACQUIRE_RELEASE || this == SEQUENTIALLY_CONSISTENT;
    }
}
