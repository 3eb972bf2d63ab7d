package io.lockstep.gpu.collective;

import io.lockstep.gpu.driver.HostMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * What a kernel tells the host when it gives up, and the word by which the host ends a kernel that waits:
 * {@code LsReport} of {@code frame.h}, in memory that both reach.
 *
 * <pre>
 * 0 abort   4 what   8 peer   12 epoch   16 block   20 expected   24 found
 * </pre>
 */
final class CallReport {
    static final int BYTES = 28;
    static final long ABORT = 0;
    static final long WHAT = 4;
    static final long PEER = 8;
    static final long EPOCH = 12;
    static final long BLOCK = 16;
    static final long EXPECTED = 20;
    static final long FOUND = 24;

    static final int NOTHING = 0;
    static final int ABORTED = 1;
    static final int NO_WORDS = 2;
    static final int NO_HEADER = 3;
    static final int NOT_REARMED = 4;
    static final int NO_FLAG = 5;
    static final int OTHER_CALL = 6;

    private static final VarHandle WORD = ValueLayout.JAVA_INT.varHandle();

    private final HostMemory memory;

    CallReport(HostMemory memory) {
        this.memory = memory;
    }

    HostMemory memory() {
        return memory;
    }

    /** Ends every wait of the plan's kernels, this call's and those of all calls behind it. */
    void abort() {
        WORD.setOpaque(memory.segment(), ABORT, 1);
    }

    /**
     * What went wrong, or {@link #NOTHING}. Pairs with the kernel's {@code ls_report}: the rest of the report is there
     * then. Without it: litmus release-only.
     */
    int what() {
        return (int) WORD.getAcquire(memory.segment(), WHAT);
    }

    int peer() {
        return word(PEER);
    }

    int epoch() {
        return word(EPOCH);
    }

    int block() {
        return word(BLOCK);
    }

    int expected() {
        return word(EXPECTED);
    }

    int found() {
        return word(FOUND);
    }

    private int word(long at) {
        MemorySegment segment = memory.segment();
        return segment.get(ValueLayout.JAVA_INT, at);
    }
}
