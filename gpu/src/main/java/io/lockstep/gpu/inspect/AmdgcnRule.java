package io.lockstep.gpu.inspect;

/** What compiled code is asked for; the name of what a finding breaks. */
public enum AmdgcnRule implements IsaRule {
    /** Every wave waits for its own stores before it comes to the barrier ahead of a flag. */
    DRAIN("drain"),
    /** A work-group barrier lies between the data's stores and the flag's. */
    BARRIER_BEFORE_FLAG("barrier-before-flag"),
    /** The stores are written back for the system before the flag is stored. */
    WRITE_BACK("write-back"),
    /** The write-back is of system scope. */
    WRITE_BACK_SCOPE("write-back-scope"),
    /** The write-back, or the release that needs none, is waited for before the flag is stored. */
    WRITE_BACK_WAIT("write-back-wait"),
    /** The flag is stored for the system. */
    FLAG_STORE("flag-store"),
    /** The flag is polled for the system. */
    POLL("poll"),
    /** The poll has come back before the caches are invalidated. */
    POLL_WAIT("poll-wait"),
    /** The poller invalidates its caches before the next barrier. */
    INVALIDATE("invalidate"),
    /** The invalidation is of system scope. */
    INVALIDATE_SCOPE("invalidate-scope"),
    /** A work-group barrier lies between the poll and the loads of data. */
    BARRIER_AFTER_POLL("barrier-after-poll"),
    /** Every wave invalidates after the barrier, before it loads data. */
    INVALIDATE_BY_ALL("invalidate-by-all"),
    /** Every flag and word of the protocol is there. */
    MISSING_STEP("missing-step"),
    /** Words are stored and loaded for the system. */
    WORDS("words"),
    /** No access leaves open which memory it goes to. */
    FLAT("flat"),
    /** Nothing is kept in scratch memory. */
    SCRATCH("scratch"),
    /** No access carries a hint of its own about caching. */
    HINT("cache-hint"),
    /** Scalar loads read the arguments, the dispatch packet and the rank's own state: no data. */
    SCALAR_LOAD("scalar-load"),
    /** Every instruction is one that the inspection knows. */
    UNKNOWN("unknown-mnemonic"),
    /** The argument has the size that Java passes. */
    KERNARG("kernarg-size"),
    /** A wave has the threads that Java counts with. */
    WAVE("wave-size"),
    /** A work-group has the threads that Java launches. */
    WORKGROUP("workgroup-size"),
    /** Subnormal numbers are kept. */
    SUBNORMALS("subnormals");

    private final String label;

    AmdgcnRule(String label) {
        this.label = label;
    }

    /** As findings name it. */
    @Override
    public String label() {
        return label;
    }

    @Override
    public String toString() {
        return label;
    }
}
