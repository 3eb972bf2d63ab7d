package io.lockstep.litmus.sim;

/** How little a machine does of its own accord. */
public enum Profile {
    /**
     * All that the memory models allow: any line may stay in any cache until it is invalidated, loads may still be in
     * flight when a flag goes out, and a fence orders nothing for a thread that has read no flag.
     */
    WEAKEST("weakest"),
    /** A worst reading of gfx942: a peer's write removes the line from its home's L2; a peer's lines may be stale. */
    GFX942("gfx942"),
    /** Every line is cached only in the L2 of its home, as over NVLink: only L1 can be stale. */
    HOME_L2("home-l2");

    private final String label;

    Profile(String label) {
        this.label = label;
    }

    /** The name on the command line. */
    public String label() {
        return label;
    }
}
