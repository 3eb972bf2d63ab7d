package io.lockstep.core.cpu;

import io.lockstep.core.DType;
import io.lockstep.core.posix.RawMemory;
import io.lockstep.core.reference.Elements;
import java.lang.foreign.Arena;
import java.util.concurrent.locks.LockSupport;

/**
 * A lane in a group one of whose ranks has a fault. Where the fault would show by luck alone, somebody dawdles in the
 * first chunk.
 */
final class PlantedLane extends Lane {
    /** Longer than a rank takes to its first row where its code is not compiled yet. */
    private static final long DAWDLE_NANOS = 50_000_000;

    private final Fault fault;
    private final boolean faulty;

    PlantedLane(Fault fault, int faultyRank, Setup setup, int index, Waiter waiter, Arena scratch) {
        super(setup, index, waiter, scratch);
        this.fault = fault;
        this.faulty = rank == faultyRank;
    }

    @Override
    void send(int chunk) {
        if (faulty && fault == Fault.PUBLISH_BEFORE_WRITE) {
            publishReady(chunk);
            if (chunk == 0) {
                // Until the others are there to read what is not.
                super.awaitReady(chunk);
            }
            dawdle(chunk);
            stage(chunk);
            return;
        }
        super.send(chunk);
        if (faulty && fault == Fault.SKIP_REUSE_WAIT) {
            long slot = base + layout.staging(rank, index, slot(chunk));
            RawMemory.ALL.asSlice(slot, layout.chunkBytes()).fill((byte) 0x3E);
        }
    }

    @Override
    void awaitReady(int chunk) {
        super.awaitReady(chunk);
        if (!faulty && fault == Fault.SKIP_REUSE_WAIT) {
            dawdle(chunk);
        }
    }

    @Override
    long source(int from, int chunk, long place) {
        boolean wrong = faulty && fault == Fault.READ_WRONG_RANK && from == (rank + 1) % layout.worldSize();
        return super.source(wrong ? rank : from, chunk, wrong ? call.place : place);
    }

    @Override
    void sum(long to, long[] from, int length) {
        if (!faulty || fault != Fault.SKIP_ROUNDING) {
            super.sum(to, from, length);
            return;
        }
        DType dtype = operation.dtype();
        int kept = dtype == DType.BF16 ? 0xFFFF0000 : 0xFFFFE000;
        for (int i = 0; i < length; i++) {
            float sum = get(from[0], i);
            for (int source = 1; source < layout.worldSize(); source++) {
                sum += get(from[source], i);
            }
            float cut = Float.intBitsToFloat(Float.floatToIntBits(sum) & kept);
            Elements.set(dtype, RawMemory.ALL.asSlice(to), i, cut);
        }
    }

    /** Never: the fault lies in the sum. */
    @Override
    boolean sumsAndAdds() {
        return false;
    }

    @Override
    void finishRow(int chunk, int from, long raw) {
        boolean last = firstElement(chunk) + from + operation.hidden() >= call.elements;
        if (!(faulty && fault == Fault.LOSE_LAST_ROW && last)) {
            super.finishRow(chunk, from, raw);
        }
    }

    private float get(long address, int i) {
        return Elements.get(operation.dtype(), RawMemory.ALL.asSlice(address), i);
    }

    private static void dawdle(int chunk) {
        if (chunk == 0) {
            LockSupport.parkNanos(DAWDLE_NANOS);
        }
    }
}
