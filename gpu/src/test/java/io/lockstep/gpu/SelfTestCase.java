package io.lockstep.gpu;

import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.reference.Elements;
import io.lockstep.core.reference.Reference;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * The tensors of one call on every rank, some of their rows of any bits at all, and what the specification makes of
 * them.
 */
final class SelfTestCase {
    private static final int ANY_BITS_EVERY = 5;

    final Operation operation;
    final int worldSize;
    final int tokens;
    final MemorySegment[] inputs;
    final MemorySegment residual;
    final MemorySegment weight;
    final MemorySegment reduced;
    final MemorySegment residualOut;
    final MemorySegment out;

    SelfTestCase(Operation operation, int worldSize, int tokens, long seed, Arena arena) {
        this.operation = operation;
        this.worldSize = worldSize;
        this.tokens = tokens;
        long bytes = tokens * operation.rowBytes();
        inputs = new MemorySegment[worldSize];
        for (int rank = 0; rank < worldSize; rank++) {
            inputs[rank] = tensor(arena, bytes);
            fill(inputs[rank], tokens, seed * 31 + rank);
        }
        residual = tensor(arena, bytes);
        fill(residual, tokens, seed * 31 + 100);
        weight = tensor(arena, operation.rowBytes());
        fill(weight, 1, seed * 31 + 101);
        reduced = tensor(arena, bytes);
        residualOut = tensor(arena, bytes);
        out = tensor(arena, bytes);
        IntStream.range(0, tokens).parallel().forEach(this::expect);
    }

    static MemorySegment tensor(Arena arena, long bytes) {
        return arena.allocate(bytes, 256);
    }

    private void fill(MemorySegment tensor, int rows, long seed) {
        int hidden = operation.hidden();
        for (int row = 0; row < rows; row++) {
            SplittableRandom random = new SplittableRandom(seed * 1_000_003 + row);
            boolean anyBits = rows > 1 && row % ANY_BITS_EVERY == ANY_BITS_EVERY - 1;
            for (int i = 0; i < hidden; i++) {
                long at = (long) row * hidden + i;
                if (anyBits && random.nextInt(4) == 0) {
                    set(tensor, at, random.nextInt(3) == 0 ? -1 : random.nextInt());
                } else {
                    Elements.set(operation.dtype(), tensor, at, Elements.round(operation.dtype(), (float)
                            (random.nextDouble(-1, 1) * Math.pow(2, random.nextInt(-8, 5)))));
                }
            }
        }
    }

    private void set(MemorySegment tensor, long at, int bits) {
        if (operation.dtype().bytes() == 2) {
            tensor.setAtIndex(ValueLayout.JAVA_SHORT, at, (short) bits);
        } else {
            tensor.setAtIndex(ValueLayout.JAVA_INT, at, bits);
        }
    }

    private void expect(int row) {
        int hidden = operation.hidden();
        float[][] ranks = new float[worldSize][hidden];
        float[] residualRow = new float[hidden];
        float[] weightRow = new float[hidden];
        for (int i = 0; i < hidden; i++) {
            long at = (long) row * hidden + i;
            for (int rank = 0; rank < worldSize; rank++) {
                ranks[rank][i] = Elements.get(operation.dtype(), inputs[rank], at);
            }
            residualRow[i] = Elements.get(operation.dtype(), residual, at);
            weightRow[i] = Elements.get(operation.dtype(), weight, i);
        }
        float[] reducedRow = new float[hidden];
        float[] residualOutRow = new float[hidden];
        float[] outRow = new float[hidden];
        Reference.row(
                operation,
                ranks,
                operation.residual() ? residualRow : null,
                operation.norm() ? weightRow : null,
                reducedRow,
                residualOutRow,
                operation.norm() ? outRow : null);
        for (int i = 0; i < hidden; i++) {
            long at = (long) row * hidden + i;
            Elements.set(operation.dtype(), reduced, at, reducedRow[i]);
            Elements.set(operation.dtype(), residualOut, at, residualOutRow[i]);
            Elements.set(operation.dtype(), out, at, outRow[i]);
        }
    }

    /** The tensors of a rank on the host, its outputs new. */
    Tensors onHost(int rank, Arena arena) {
        long bytes = tokens * operation.rowBytes();
        Tensors tensors = Tensors.of(inputs[rank]).withReduced(tensor(arena, bytes));
        if (operation.residual()) {
            tensors = tensors.withResidual(residual).withResidualOut(tensor(arena, bytes));
        }
        if (operation.norm()) {
            tensors = tensors.withWeight(weight).withOut(tensor(arena, bytes));
        }
        return tensors;
    }

    /** What differs between an output and the specification, over so many rows; empty if nothing does. */
    String difference(String name, MemorySegment found, MemorySegment expected, int rows) {
        long bytes = rows * operation.rowBytes();
        long first = found.asSlice(0, bytes).mismatch(expected.asSlice(0, bytes));
        if (first < 0) {
            return "";
        }
        long wrong = 0;
        int size = operation.dtype().bytes();
        for (long at = 0; at < bytes; at += size) {
            wrong += found.asSlice(at, size).mismatch(expected.asSlice(at, size)) < 0 ? 0 : 1;
        }
        long element = first / size;
        return name + ": " + wrong + " of " + bytes / size + " elements wrong, the first in row "
                + element / operation.hidden() + " column " + element % operation.hidden() + ", "
                + Elements.get(operation.dtype(), found, element) + " and not "
                + Elements.get(operation.dtype(), expected, element) + "; ";
    }
}
