package io.lockstep.core.cpu;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Operation;
import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.posix.RawMemory;
import io.lockstep.core.reference.Reference;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * One thread of one rank. It exchanges its share of the rows with the same lane of every other rank; lanes of one rank
 * have nothing to do with one another.
 *
 * <p>Rows travel in chunks, numbered on through all calls. Chunk s lies in slot s mod 4 of the sender's staging memory,
 * or in the input that the plan lent; the sender publishes {@code ready[s mod 4]}. The next chunk of a call is sent
 * before this one is awaited.
 *
 * <ul>
 *   <li>One-shot: await every rank's ready(s), add all of the chunk, finish its rows.
 *   <li>Two-shot: await every rank's ready(s), add one's own part, publish {@code shared[s mod 4]}, await every rank's
 *       shared(s), finish the rows from all parts, which lie in slot s mod 2.
 * </ul>
 *
 * <p>Nothing is waited for before a slot is written again. Hazard: a rank writes chunk s + 4 over chunk s while a
 * slower one still reads that. Invariant: its slot is written, by the copy or already by the claim of its lines, after
 * every rank's ready(s + 2) was seen; a rank sends s + 2 only after it has finished s. For the parts: part s + 2 is
 * written after every ready(s + 2) was seen. For the lent input: it is written again two calls later, after a whole
 * call in which every rank's ready was seen, which it sends only after it has finished the call before. The symmetric
 * input may be written as soon as the call returns, so there its end is awaited: in two-shot by shared(s) of the last
 * chunk as ever; in one-shot that word is published, and awaited by those who gave such an input, for this alone.
 */
class Lane {
    /** In a ready word: the chunk lies in its slot of the staging memory. */
    static final long STAGED = 0;

    /** In a ready word: the chunk lies in the lent input. */
    static final long LENT = 1L << 63;

    /** In a ready word: the chunk lies in the symmetric input, which the rank may write when its call returns. */
    static final long SYMMETRIC = 1L << 62;

    /** In a ready word: the chunk lies in its slot of the staging memory, and in no cache. */
    static final long STREAMED = LENT | SYMMETRIC;

    static final long PLACE = LENT | SYMMETRIC;

    private static final long SEQUENCE = 0xFFFFFFFFL;

    /** Rows are summed in pieces that stay in the first-level cache until they are finished. */
    private static final int PIECE_BYTES = 8 * 1024;

    /** In place of the address of a row's sum: it is still to be computed. */
    private static final long UNSUMMED = 0;

    final int rank;
    final int index;
    final PlanLayout layout;
    final long base;
    final Call call;
    final Operation operation;

    private final Operands operands;
    private final SharedWords words;
    private final Waiter waiter;
    private final int bytes;
    private final int worldSize;
    private final Kernels kernels;
    private final CopyPath copyPath;
    private final long[] sources;
    private final long[] piece;
    private final int pieceRows;
    private final long sums;
    private final long gathered;
    private final long residualRow;
    private final long weightRow;
    private final long outRow;
    private int sequence;
    private boolean othersKeep;

    // What of the current call is this lane's.
    private int firstRow;
    private int endRow;
    private int firstSequence;
    private int chunks;
    private long weight;
    private boolean weightFinite;

    Lane(Setup setup, int index, Waiter waiter, Arena scratch) {
        this.rank = setup.rank();
        this.index = index;
        this.layout = setup.layout();
        this.base = setup.memory().address();
        this.call = setup.call();
        this.operation = setup.operation();
        this.operands = setup.operands();
        this.words = setup.words();
        this.waiter = waiter;
        bytes = operation.dtype().bytes();
        worldSize = layout.worldSize();
        kernels = Kernels.of(operation.dtype(), operation.hidden(), setup.vectorBits(), scratch);
        copyPath = new CopyPath(setup.crowded());
        sources = new long[worldSize];
        piece = new long[worldSize];
        pieceRows = Math.clamp(PIECE_BYTES / layout.rowBytes(), 1, layout.chunkRows());
        long rowBytes = layout.rowBytes();
        sums = scratch.allocate(pieceRows * rowBytes, PlanLayout.LINE).address();
        gathered = scratch.allocate(rowBytes, PlanLayout.LINE).address();
        residualRow = scratch.allocate(rowBytes, PlanLayout.LINE).address();
        weightRow = scratch.allocate(rowBytes, PlanLayout.LINE).address();
        outRow = scratch.allocate(rowBytes, PlanLayout.LINE).address();
    }

    static boolean matches(long word, long expected) {
        return (word & ~PLACE) == expected;
    }

    /** Whether a rank has published this chunk, or a later one, for a call that is not this one. */
    static boolean isOfAnotherCall(long word, long expected) {
        return (int) word - (int) expected >= 0 && !matches(word, expected);
    }

    /** Runs this lane's share of the call. */
    final void run() {
        firstRow = (int) ((long) call.rows * index / call.activeLanes);
        endRow = (int) ((long) call.rows * (index + 1) / call.activeLanes);
        firstSequence = sequence + 1;
        othersKeep = false;
        copyPath.begin((endRow - firstRow) * layout.rowBytes(), call.place == STAGED && !operands.input.heap());
        chunks = (endRow - firstRow + layout.chunkRows() - 1) / layout.chunkRows();
        if (chunks > 0) {
            send(0);
        }
        if (operation.norm()) {
            prepareWeight();
        }
        for (int chunk = 0; chunk < chunks; chunk++) {
            if (chunk + 1 < chunks) {
                send(chunk + 1);
            }
            awaitReady(chunk);
            if (call.algorithm == Algorithm.ONE_SHOT) {
                finishFromInputs(chunk);
            } else {
                addOwnPart(chunk);
                publishShared(chunk);
                awaitShared(chunk, "the part of the sum");
                finishFromParts(chunk);
            }
        }
        if (call.algorithm == Algorithm.ONE_SHOT && chunks > 0) {
            tellAndAwaitReaders(chunks - 1);
        }
        copyPath.end();
        sequence += chunks;
    }

    /**
     * After two-shot there is nothing left to do here: every rank's part of the last chunk is there, so it was read.
     */
    private void tellAndAwaitReaders(int lastChunk) {
        if (othersKeep) {
            publishShared(lastChunk);
        }
        if (call.place == SYMMETRIC) {
            awaitShared(lastChunk, "the word that the symmetric input was read");
        }
    }

    private void prepareWeight() {
        weight = operands.weight.readable(0, operation.rowBytes(), weightRow);
        // Worth finding out where it serves more than one row. No weight is infinite or NaN if its sum of squares is
        // not.
        weightFinite = endRow - firstRow > 1 && Float.isFinite(kernels.squares(weight, operation.hidden()));
    }

    /** Makes a chunk readable for every rank. */
    void send(int chunk) {
        if (call.place == STAGED) {
            stage(chunk);
        }
        publishReady(chunk);
    }

    /** Copies the input to where every rank reads it. */
    void stage(int chunk) {
        long to = base + layout.staging(rank, index, slot(chunk));
        long from = firstElement(chunk) * bytes;
        int elements = elements(chunk);
        if (operands.input.heap()) {
            MemorySegment.copy(operands.input.segment(), from, RawMemory.ALL, to, (long) elements * bytes);
        } else if (call.algorithm == Algorithm.ONE_SHOT) {
            copyPath.copy(to, operands.input.address() + from, (long) elements * bytes);
        } else {
            // All but the part that this rank adds itself.
            long start = (long) layout.partStart(rank, elements) * bytes;
            long end = (long) layout.partStart(rank + 1, elements) * bytes;
            copyPath.copy(to, operands.input.address() + from, start);
            copyPath.copy(to + end, operands.input.address() + from + end, (long) elements * bytes - end);
        }
    }

    /** Pairs with {@link #awaitReady} on every other rank; makes the chunk visible. Without it: litmus cpu-one-shot. */
    void publishReady(int chunk) {
        long signal = base + layout.ready(rank, index, slot(chunk));
        words.publish(signal, word(chunk) | (copyPath.streams() ? STREAMED : call.place));
        waiter.wake(signal);
    }

    /**
     * Pairs with {@link #publishReady} on every other rank; makes its chunk visible. Without it: litmus cpu-one-shot.
     */
    void awaitReady(int chunk) {
        long expected = word(chunk);
        for (int peer = 0; peer < worldSize; peer++) {
            long place = call.place;
            if (peer != rank) {
                long signal = base + layout.ready(peer, index, slot(chunk));
                long word = words.await(signal);
                if (!matches(word, expected)) {
                    word = waiter.await(signal, expected, peer, "the input");
                }
                place = word & PLACE;
                othersKeep |= place == SYMMETRIC;
            }
            sources[peer] = source(peer, chunk, place);
            if (place == STREAMED && call.algorithm == Algorithm.ONE_SHOT) {
                copyPath.expect(sources[peer], Math.min(layout.rowBytes(), (long) elements(chunk) * bytes));
            }
        }
    }

    /** Where the chunk of a rank lies. */
    long source(int from, int chunk, long place) {
        if (place == SYMMETRIC) {
            return base + layout.symmetric(from) + firstElement(chunk) * bytes;
        }
        if (place == LENT) {
            int buffer = call.numberInPlan % PlanLayout.LENT_BUFFERS;
            return base + layout.lent(from, buffer) + firstElement(chunk) * bytes;
        }
        if (from == rank && !operands.input.heap()) {
            return operands.input.address() + firstElement(chunk) * bytes;
        }
        return base + layout.staging(from, index, slot(chunk));
    }

    private void finishFromInputs(int chunk) {
        int elements = elements(chunk);
        if (operation.residual() && !operands.reduced.given() && sumsAndAdds()) {
            for (int from = 0; from < elements; from += operation.hidden()) {
                finishRow(chunk, from, UNSUMMED);
            }
            return;
        }
        int step = pieceRows * layout.rowElements();
        for (int from = 0; from < elements; from += step) {
            int length = Math.min(step, elements - from);
            add(sums, from, length);
            finish(chunk, from, sums, length);
        }
    }

    /** Adds this rank's part of the chunk, for all ranks. */
    private void addOwnPart(int chunk) {
        int elements = elements(chunk);
        int from = layout.partStart(rank, elements);
        int length = layout.partStart(rank + 1, elements) - from;
        add(base + layout.reduced(rank, index, partSlot(chunk)), from, length);
    }

    private void add(long to, int from, int length) {
        sum(to, pieceAt(from), length);
    }

    /** Where the inputs of all ranks lie from an element of the chunk on. */
    private long[] pieceAt(int from) {
        for (int source = 0; source < worldSize; source++) {
            piece[source] = sources[source] + (long) from * bytes;
        }
        return piece;
    }

    /** Whether the sum and the residual are added in one loop, where nobody asks for the sum itself. */
    boolean sumsAndAdds() {
        return kernels.sumsAndAdds(worldSize);
    }

    /** {@code to = round(from[0] + from[1] + …)}. */
    void sum(long to, long[] from, int length) {
        kernels.sum(to, from, worldSize, length);
    }

    /**
     * Says that this rank has read its share of a chunk's inputs. Pairs with {@link #awaitShared} on every other rank;
     * makes the part visible. Without it: litmus cpu-two-shot.
     */
    void publishShared(int chunk) {
        long signal = base + layout.shared(rank, index, slot(chunk));
        words.publish(signal, word(chunk));
        waiter.wake(signal);
    }

    /**
     * Pairs with {@link #publishShared} on every other rank; makes its part visible. Without it: litmus cpu-two-shot.
     */
    void awaitShared(int chunk, String what) {
        long expected = word(chunk);
        for (int peer = 0; peer < worldSize; peer++) {
            if (peer != rank) {
                long signal = base + layout.shared(peer, index, slot(chunk));
                if (!matches(words.await(signal), expected)) {
                    waiter.await(signal, expected, peer, what);
                }
            }
        }
    }

    private void finishFromParts(int chunk) {
        int elements = elements(chunk);
        if (!operation.residual() && !operation.norm()) {
            for (int owner = 0; owner < worldSize; owner++) {
                int from = layout.partStart(owner, elements);
                finishSum(
                        chunk, from, part(owner, chunk, from, elements), layout.partStart(owner + 1, elements) - from);
            }
            return;
        }
        int hidden = operation.hidden();
        int owner = 0;
        for (int from = 0; from < elements; from += hidden) {
            while (layout.partStart(owner + 1, elements) <= from) {
                owner++;
            }
            boolean whole = from + hidden <= layout.partStart(owner + 1, elements);
            long row = whole ? part(owner, chunk, from, elements) : gather(chunk, owner, from, elements);
            finish(chunk, from, row, hidden);
        }
    }

    /** Where element {@code from} of the chunk lies in its owner's part. */
    private long part(int owner, int chunk, int from, int elements) {
        long within = (long) (from - layout.partStart(owner, elements)) * bytes;
        return base + layout.reduced(owner, index, partSlot(chunk)) + within;
    }

    /** Puts a row together that lies in several parts. */
    private long gather(int chunk, int firstOwner, int from, int elements) {
        int end = from + operation.hidden();
        int owner = firstOwner;
        for (int at = from; at < end; owner++) {
            int length = Math.min(end, layout.partStart(owner + 1, elements)) - at;
            MemorySegment.copy(
                    RawMemory.ALL,
                    part(owner, chunk, at, elements),
                    RawMemory.ALL,
                    gathered + (long) (at - from) * bytes,
                    (long) length * bytes);
            at += length;
        }
        return gathered;
    }

    /** Everything after the sum, for whole rows that begin at element {@code from} of the chunk. */
    final void finish(int chunk, int from, long raw, int length) {
        if (!operation.residual() && !operation.norm()) {
            finishSum(chunk, from, raw, length);
            return;
        }
        int hidden = operation.hidden();
        for (int done = 0; done < length; done += hidden) {
            finishRow(chunk, from + done, raw + (long) done * bytes);
        }
    }

    void finishRow(int chunk, int from, long raw) {
        // Where several chunks follow each other, claimed lines push others out of the cache: nothing is gained.
        if (call.place == STAGED && chunks == 1) {
            claim(chunk + 2, from);
        }
        int hidden = operation.hidden();
        long rowBytes = operation.rowBytes();
        long offset = (firstElement(chunk) + from) * bytes;
        if (operands.reduced.given()) {
            finishSum(chunk, from, raw, hidden);
        }
        long row = raw;
        if (operation.residual()) {
            long addend = operands.residual.readable(offset, rowBytes, residualRow);
            row = operands.residualOut.writable(offset, residualRow);
            if (raw == UNSUMMED) {
                kernels.sumAdd(row, pieceAt(from), worldSize, addend, hidden);
            } else {
                kernels.add(row, raw, addend, hidden);
            }
        }
        copyPath.claimMore();
        float squares = kernels.squares(row, hidden);
        // A NaN among the squares makes their sum one: only then can the row hold any.
        if (operation.residual() && Float.isNaN(squares)) {
            kernels.canonicalise(row, row, hidden);
        }
        operands.residualOut.flush(offset, rowBytes, residualRow);
        copyPath.claimMore();
        if (operation.norm()) {
            long to = operands.out.writable(offset, outRow);
            float scale = Reference.scale(squares, hidden, operation.epsilon());
            if (weightFinite && Float.isFinite(squares) && Float.isFinite(scale)) {
                kernels.scaleFinite(to, row, weight, scale, hidden);
            } else {
                kernels.scale(to, row, weight, scale, hidden);
            }
            operands.out.flush(offset, rowBytes, outRow);
        }
    }

    /**
     * Claims the lines that a row of a later chunk takes in its slot, for which every rank must have sent the chunk two
     * before it: then the slot is read.
     */
    void claim(int later, int from) {
        copyPath.claim(base + layout.staging(rank, index, slot(later)) + (long) from * bytes, operation.rowBytes());
    }

    private void finishSum(int chunk, int from, long raw, int length) {
        long offset = (firstElement(chunk) + from) * bytes;
        if (!operands.reduced.heap()) {
            kernels.canonicalise(operands.reduced.address() + offset, raw, length);
            return;
        }
        int step = layout.rowElements();
        for (int done = 0; done < length; done += step) {
            int n = Math.min(step, length - done);
            long at = (long) done * bytes;
            kernels.canonicalise(outRow, raw + at, n);
            operands.reduced.flush(offset + at, (long) n * bytes, outRow);
        }
    }

    /** The element of the tensor with which a chunk begins. */
    final long firstElement(int chunk) {
        return ((long) firstRow + (long) chunk * layout.chunkRows()) * layout.rowElements();
    }

    final int elements(int chunk) {
        long end = Math.min((long) endRow * layout.rowElements(), call.elements);
        return (int) Math.min((long) layout.chunkRows() * layout.rowElements(), end - firstElement(chunk));
    }

    /** The slot of a chunk in the staging memory. */
    int slot(int chunk) {
        return (firstSequence + chunk) & (PlanLayout.SLOTS - 1);
    }

    private int partSlot(int chunk) {
        return (firstSequence + chunk) & (PlanLayout.REDUCED_SLOTS - 1);
    }

    private long word(int chunk) {
        return call.fingerprint | ((firstSequence + chunk) & SEQUENCE);
    }
}
