package io.lockstep.litmus.launch;

/** A way of launching two calls on each of two devices, and what is known to come of it. */
public enum Discipline {
    /** Both streams count calls and use slots together: sglang issues 31117 and 31135. */
    SHARED_SLOTS("shared-slots", "two streams share slots and counter", true, true),
    /** As before, with a lock on each device around the whole call. */
    DEVICE_LOCK("device-lock", "two streams, a lock on each device around the call", false, true),
    /** Each stream has slots, counter and buffers of its own, and both kernels fit on the device at once. */
    CHANNEL_PER_STREAM("channel-per-stream", "slots for each stream, both kernels run side by side", false, false),
    /** The same, but a device runs one kernel at a time. */
    NOT_CO_RESIDENT("not-co-resident", "slots for each stream, but one kernel fits at a time", true, false),
    /** One stream, the calls in the same order everywhere. */
    ONE_STREAM("one-stream", "one stream, the same order on every device", false, false),
    /** One stream, the calls in another order on one device. */
    ORDER_DIFFERS("order-differs", "one stream, another order on one device", false, true);

    private final String label;
    private final String summary;
    private final boolean hangs;
    private final boolean mixes;

    Discipline(String label, String summary, boolean hangs, boolean mixes) {
        this.label = label;
        this.summary = summary;
        this.hangs = hangs;
        this.mixes = mixes;
    }

    /** The name on the command line and in the refusals that cite it. */
    public String label() {
        return label;
    }

    /** One line for people. */
    public String summary() {
        return summary;
    }

    /** Whether some interleaving is known to hang. */
    public boolean hangs() {
        return hangs;
    }

    /** Whether some interleaving is known to hand one call's data to another. */
    public boolean mixes() {
        return mixes;
    }

    boolean sharedChannel() {
        return this != CHANNEL_PER_STREAM && this != NOT_CO_RESIDENT;
    }

    boolean oneStream() {
        return this == ONE_STREAM || this == ORDER_DIFFERS;
    }

    boolean exclusive() {
        return this == DEVICE_LOCK || this == NOT_CO_RESIDENT;
    }
}
