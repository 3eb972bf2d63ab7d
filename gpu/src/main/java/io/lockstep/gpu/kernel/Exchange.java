package io.lockstep.gpu.kernel;

/** How a call is exchanged: the kernels that there are, by the numbers that headers and the state name them with. */
public enum Exchange {
    /** Every rank sends all of its input to every peer. */
    ONE_SHOT_PUSH(1, "one-shot-push", true, false),
    /** Every rank sends each row to its owner, which sends the sum to all. */
    TWO_SHOT_PUSH(2, "two-shot-push", true, true),
    /** Barrier, read every peer's input, barrier. */
    ONE_SHOT_PULL(3, "one-shot-pull", false, false),
    /** Barrier, read the peers' input of the own rows, store the sums everywhere, barrier. */
    TWO_SHOT_PULL(4, "two-shot-pull", false, true);

    private final int code;
    private final String label;
    private final boolean push;
    private final boolean twoShot;

    Exchange(int code, String label, boolean push, boolean twoShot) {
        this.code = code;
        this.label = label;
        this.push = push;
        this.twoShot = twoShot;
    }

    /** The number in headers. */
    public int code() {
        return code;
    }

    /** The name for people, and of the protocol in {@code io.lockstep.core.protocol}. */
    public String label() {
        return label;
    }

    /** Whether data is sent as words that carry their own arrival. */
    public boolean push() {
        return push;
    }

    /** Whether each row has one owner that adds it up. */
    public boolean twoShot() {
        return twoShot;
    }

    /** The kernel for tensors whose rows are whole packs on 16-byte boundaries, or for any. */
    public String entry(boolean whole) {
        return "ls_" + label.replace('-', '_') + (whole ? "" : "_any");
    }

    @Override
    public String toString() {
        return label;
    }
}
