package io.lockstep.litmus.launch;

/**
 * A way of launching two calls on each of two devices, and what is known to come of it. The refusals of the API rest on
 * these: a second thread on a communicator is SHARED_SLOTS, a GPU plan on a second stream is SHARED_SLOTS or
 * NOT_CO_RESIDENT, and calls in another order are ORDER_DIFFERS, which the fingerprint in every signal and in every
 * block's header turns into an error.
 */
public enum Discipline {
    /** Both streams count calls and use slots together: sglang issues 31117 and 31135. */
    SHARED_SLOTS("shared-slots", "two streams share slots and counter", true, true, false),
    /** As before, with a lock on each device around the whole call. */
    DEVICE_LOCK("device-lock", "two streams, a lock on each device around the call", false, true, false),
    /** Each stream has slots, counter and buffers of its own, and both kernels fit on the device at once. */
    CHANNEL_PER_STREAM(
            "channel-per-stream", "slots for each stream, both kernels run side by side", false, false, false),
    /** The same, but a device runs one kernel at a time. */
    NOT_CO_RESIDENT("not-co-resident", "slots for each stream, but one kernel fits at a time", true, false, false),
    /** One stream, the calls in the same order everywhere. */
    ONE_STREAM("one-stream", "one stream, the same order on every device", false, false, false),
    /** One stream, the calls in another order on one device. */
    ORDER_DIFFERS("order-differs", "one stream, another order on one device", false, true, false),
    /** The same, and every block of data begins with the epoch and the fingerprint of its call, which is looked at. */
    ORDER_DIFFERS_HEADER(
            "order-differs-header",
            "another order on one device, and every block says of which call it is",
            false,
            false,
            true),
    /** Shared slots, and every block says of which call it is: no wrong data, but still a hang. */
    SHARED_SLOTS_HEADER(
            "shared-slots-header",
            "two streams share slots and counter, and every block says of which call it is",
            true,
            false,
            true);

    private final String label;
    private final String summary;
    private final boolean hangs;
    private final boolean mixes;
    private final boolean refuses;

    Discipline(String label, String summary, boolean hangs, boolean mixes, boolean refuses) {
        this.label = label;
        this.summary = summary;
        this.hangs = hangs;
        this.mixes = mixes;
        this.refuses = refuses;
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

    /** Whether some interleaving is known to end in an error, since a header tells one call's data from another's. */
    public boolean refuses() {
        return refuses;
    }

    /** Whether data say of which call they are. */
    boolean hasHeaders() {
        return this == ORDER_DIFFERS_HEADER || this == SHARED_SLOTS_HEADER;
    }

    boolean otherOrder() {
        return this == ORDER_DIFFERS || this == ORDER_DIFFERS_HEADER;
    }

    boolean sharedChannel() {
        return this != CHANNEL_PER_STREAM && this != NOT_CO_RESIDENT;
    }

    boolean oneStream() {
        return this == ONE_STREAM || otherOrder();
    }

    boolean exclusive() {
        return this == DEVICE_LOCK || this == NOT_CO_RESIDENT;
    }
}
