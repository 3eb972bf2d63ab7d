package io.lockstep.gpu.collective;

import io.lockstep.core.DeviceSpan;
import io.lockstep.gpu.driver.PeerMemory;
import io.lockstep.gpu.kernel.KernelOptions;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The one parameter of every kernel, by value: {@code LsArgs} of {@code frame.h}.
 *
 * <pre>
 *   0 input      8 residual   16 weight    24 reduced   32 residual out   40 out
 *  48 memory of each rank, 8 addresses
 * 112 state    120 report    128 deadline, in nanoseconds
 * 136 sums     144 staging   152 result, offsets into memory
 * 160 tokens   164 capacity  168 most tokens   172 rank   176 epsilon   180 carriers
 * </pre>
 */
final class KernelArguments {
    static final int BYTES = KernelOptions.ARGUMENT_BYTES;
    static final long INPUT = 0;
    static final long RESIDUAL = 8;
    static final long WEIGHT = 16;
    static final long REDUCED = 24;
    static final long RESIDUAL_OUT = 32;
    static final long OUT = 40;
    static final long MEMORY = 48;
    static final long STATE = 112;
    static final long REPORT = 120;
    static final long DEADLINE = 128;
    static final long SUMS = 136;
    static final long STAGING = 144;
    static final long RESULT = 152;
    static final long TOKENS = 160;
    static final long CAPACITY = 164;
    static final long MOST_TOKENS = 168;
    static final long RANK = 172;
    static final long EPSILON = 176;
    static final long CARRIERS = 180;

    /** Device memory that keeps the last call from call to call: {@code LsState}. */
    static final int STATE_BYTES = 32;

    private final MemorySegment memory;

    /** Over memory of at least {@link #BYTES}. */
    KernelArguments(MemorySegment memory) {
        this.memory = memory;
    }

    /** What is the same in every call of a plan. */
    void fix(
            List<PeerMemory> regions,
            long state,
            long report,
            long deadlineNanos,
            RegionLayout layout,
            int mostTokens,
            int rank,
            float epsilon) {
        for (int peer = 0; peer < regions.size(); peer++) {
            address(MEMORY + (long) peer * Long.BYTES, regions.get(peer).address());
        }
        address(STATE, state);
        address(REPORT, report);
        address(DEADLINE, deadlineNanos);
        address(SUMS, layout.sums());
        address(STAGING, layout.staging());
        address(RESULT, layout.result());
        number(CAPACITY, layout.capacity());
        number(MOST_TOKENS, mostTokens);
        number(RANK, rank);
        memory.set(ValueLayout.JAVA_FLOAT, EPSILON, epsilon);
    }

    /** What a kernel without peers takes: the address of every rank's input, all on one device. */
    void inputs(List<DeviceSpan> inputs, float epsilon) {
        for (int rank = 0; rank < inputs.size(); rank++) {
            address(MEMORY + (long) rank * Long.BYTES, inputs.get(rank).address());
        }
        memory.set(ValueLayout.JAVA_FLOAT, EPSILON, epsilon);
    }

    /** What differs from call to call, beside the tensors. */
    void call(int tokens, int carriers) {
        number(TOKENS, tokens);
        number(CARRIERS, carriers);
    }

    /** One of the tensors; 0 where there is none. */
    void tensor(long field, long address) {
        address(field, address);
    }

    private void address(long field, long value) {
        memory.set(ValueLayout.JAVA_LONG, field, value);
    }

    private void number(long field, int value) {
        memory.set(ValueLayout.JAVA_INT, field, value);
    }
}
