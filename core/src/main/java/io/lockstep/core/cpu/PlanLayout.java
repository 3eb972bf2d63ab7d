package io.lockstep.core.cpu;

import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;

/**
 * The shared memory of a plan.
 *
 * <pre>
 * signals   rank 0: lane 0: ready 0 … 3, shared 0 … 3 | lane 1 …          one signal a line of 128 bytes
 *           rank 1: …
 * staging   rank 0: lane 0: slot 0 … 3 | lane 1 …                          one chunk a slot
 *           rank 1: …
 * reduced   rank 0: lane 0: slot 0, slot 1 | lane 1 …                      one rank's part of a chunk a slot
 *           rank 1: …
 * inputs    rank 0: lent buffer 0, lent buffer 1, symmetric buffer         maxTokens rows each
 *           rank 1: …
 * </pre>
 *
 * A signal:
 *
 * <pre>
 * 0          4              8                       16
 * +----------+--------------+-----------------------+------
 * | sequence | fingerprint  | asleep: a byte a rank |
 * +----------+--------------+-----------------------+------
 * </pre>
 *
 * The shared memory of a plan is world · lanes · (1 KiB + 4 · chunk + 2 · chunk / world) bytes, and, on ranks that have
 * asked for them, 2 · maxTokens · hidden · bytes of the dtype more for the lent input and half as much for the
 * symmetric one. A chunk is about 128 KiB, or 256 KiB where there are more threads of ranks than processors, and at
 * least one row.
 *
 * @param worldSize the number of ranks
 * @param lanes how many threads each rank computes with
 * @param rowElements how many elements a row has for the exchange
 * @param chunkRows how many rows travel together
 * @param rowBytes the bytes of a row
 * @param inputBytes the bytes of an input buffer
 */
record PlanLayout(int worldSize, int lanes, int rowElements, int chunkRows, long rowBytes, long inputBytes) {
    /** Chunks of a slot in rotation. Why four: see {@link Lane}. */
    static final int SLOTS = 4;

    /** Parts of a chunk in rotation. */
    static final int REDUCED_SLOTS = 2;

    /** Buffers of the lent input in rotation. */
    static final int LENT_BUFFERS = 2;

    private static final int INPUT_BUFFERS = LENT_BUFFERS + 1;

    /** Within a signal, where sleepers say that they sleep. */
    static final int ASLEEP = 8;

    static final int LINE = 128;

    /** Two ranks' chunks and what is computed from them stay in the second-level cache of a core. */
    private static final int CHUNK = 128 * 1024;

    /** Where ranks take turns on a processor, fewer turns count for more than the cache. */
    private static final int CROWDED_CHUNK = 256 * 1024;

    /** A row where rows do not matter: in an all-reduce alone. */
    private static final int FREE_ROW = 4096;

    static PlanLayout of(Operation operation, int worldSize, int lanes, boolean crowded) {
        boolean free = !operation.norm() && !operation.residual();
        long elements = (long) operation.hidden() * operation.maxTokens();
        int rowElements = free ? (int) Math.min(FREE_ROW, elements) : operation.hidden();
        int rows = (int) ((elements + rowElements - 1) / rowElements);
        long rowBytes = (long) rowElements * operation.dtype().bytes();
        int chunkRows = Math.clamp((crowded ? CROWDED_CHUNK : CHUNK) / rowBytes, 1, rows);
        return new PlanLayout(
                worldSize,
                lanes,
                rowElements,
                chunkRows,
                rowBytes,
                up(elements * operation.dtype().bytes(), PAGE));
    }

    /** How many rows so many elements are. */
    int rows(long elements) {
        return (int) ((elements + rowElements - 1) / rowElements);
    }

    long chunkBytes() {
        return up(chunkRows * rowBytes, LINE);
    }

    private long partBytes() {
        return up(chunkBytes() / worldSize + LINE, LINE);
    }

    /** The signal that a rank's chunk lies in its slot. */
    long ready(int rank, int lane, int slot) {
        return ((long) rank * lanes + lane) * 2 * SLOTS * LINE + (long) slot * LINE;
    }

    /** The signal that a rank's part of the sum lies in its slot. */
    long shared(int rank, int lane, int slot) {
        return ready(rank, lane, SLOTS + slot);
    }

    long staging(int rank, int lane, int slot) {
        return stagingStart() + (((long) rank * lanes + lane) * SLOTS + slot) * chunkBytes();
    }

    long reduced(int rank, int lane, int slot) {
        return reducedStart() + (((long) rank * lanes + lane) * REDUCED_SLOTS + slot) * partBytes();
    }

    long lent(int rank, int buffer) {
        return committedBytes() + ((long) rank * INPUT_BUFFERS + buffer) * inputBytes;
    }

    long symmetric(int rank) {
        return lent(rank, LENT_BUFFERS);
    }

    private long stagingStart() {
        return up(ready(worldSize, 0, 0), 4096);
    }

    private long reducedStart() {
        return staging(worldSize, 0, 0);
    }

    /** All but the input buffers, which have no pages until a rank asks for them. */
    long committedBytes() {
        return up(reduced(worldSize, 0, 0), PAGE);
    }

    long bytes() {
        return committedBytes() + (long) worldSize * INPUT_BUFFERS * inputBytes;
    }

    /**
     * Where this rank's part of a chunk of so many elements begins; the part of the last rank ends at the chunk's end.
     */
    int partStart(int rank, int elements) {
        return rank == worldSize ? elements : (int) ((long) elements * rank / worldSize) & -PART_ALIGNMENT;
    }

    /** Parts begin at whole vectors of any width. */
    private static final int PART_ALIGNMENT = 32;

    /** A multiple of every page size in use. */
    private static final long PAGE = 64 * 1024;

    private static long up(long value, long multiple) {
        return (value + multiple - 1) / multiple * multiple;
    }

    PlanLayout {
        if (worldSize > GroupSpec.MAX_WORLD_SIZE) {
            throw new IllegalArgumentException("A signal has one byte for each of 8 sleepers.");
        }
    }
}
