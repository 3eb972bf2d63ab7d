package io.lockstep.gpu.inspect;

/** What compiled PTX is asked for; the name of what a finding breaks. */
public enum PtxRule implements IsaRule {
    /** Every flag and word of the protocol is there. */
    MISSING_STEP("missing-step"),
    /** The flag is stored for the system, by an atomic store. */
    FLAG_STORE("flag-store"),
    /** The flag is polled for the system, by an atomic load. */
    POLL("poll"),
    /** What came before is released to the system before the flag is stored. */
    RELEASE("release"),
    /** A work-group barrier lies between the data's stores and the flag's. */
    BARRIER_BEFORE_FLAG("barrier-before-flag"),
    /** The poller acquires from the system before the next barrier, and before the kernel ends. */
    ACQUIRE("acquire"),
    /** A work-group barrier lies between the poll and the loads of data. */
    BARRIER_AFTER_POLL("barrier-after-poll"),
    /** Words are stored and loaded for the system, by atomic accesses. */
    WORDS("words"),
    /** Memory that a peer writes is not read past the caches that coherence knows. */
    NON_COHERENT("non-coherent"),
    /** Every jump is one that the inspection can follow. */
    UNKNOWN("unknown-jump");

    private final String label;

    PtxRule(String label) {
        this.label = label;
    }

    /** As findings name it. */
    @Override
    public String label() {
        return label;
    }
}
