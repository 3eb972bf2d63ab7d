package io.lockstep.cli.verify;

import io.lockstep.cli.inputs.RandomTensor;
import io.lockstep.core.DType;
import io.lockstep.core.reference.Elements;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Compares rows of one output with what they must be, all bits at once, and looks closer only where they differ. */
final class RowChecker {
    private final String tensor;
    private final DType dtype;
    private final int hidden;
    private final MemorySegment wanted;

    RowChecker(String tensor, DType dtype, int hidden, Arena arena) {
        this.tensor = tensor;
        this.dtype = dtype;
        this.hidden = hidden;
        this.wanted = arena.allocate((long) hidden * dtype.bytes(), 64);
    }

    /** The next rows are compared with this one. */
    void expect(float[] row) {
        RandomTensor.store(dtype, row, wanted, 0);
    }

    /** The next rows are compared with this one of a tensor. */
    void expect(MemorySegment tensor, int row) {
        MemorySegment.copy(tensor, row * wanted.byteSize(), wanted, 0, wanted.byteSize());
    }

    /** What is wrong in a row. */
    Tally check(MemorySegment actual, int row, int rank, long iteration) {
        long bytes = wanted.byteSize();
        MemorySegment found = actual.asSlice(row * bytes, bytes);
        return found.mismatch(wanted) < 0 ? Tally.RIGHT : compare(found, row, rank, iteration);
    }

    private Tally compare(MemorySegment found, int row, int rank, long iteration) {
        long wrongBits = 0;
        long wrongElements = 0;
        double maxAbsErr = 0;
        FirstBad first = null;
        for (int column = 0; column < hidden; column++) {
            int differing = differingBits(found, column);
            if (differing == 0) {
                continue;
            }
            float expected = Elements.get(dtype, wanted, column);
            float actual = Elements.get(dtype, found, column);
            wrongBits += differing;
            wrongElements++;
            maxAbsErr = Math.max(maxAbsErr, error(expected, actual));
            first = first == null ? new FirstBad(rank, iteration, tensor, row, column, expected, actual, 0) : first;
        }
        return new Tally(wrongBits, wrongElements, maxAbsErr, first);
    }

    private int differingBits(MemorySegment found, int column) {
        int bits = 0;
        for (int i = 0; i < dtype.bytes(); i++) {
            long at = (long) column * dtype.bytes() + i;
            bits += Integer.bitCount((found.get(java.lang.foreign.ValueLayout.JAVA_BYTE, at)
                            ^ wanted.get(java.lang.foreign.ValueLayout.JAVA_BYTE, at))
                    & 0xFF);
        }
        return bits;
    }

    private static double error(float expected, float actual) {
        double error = Math.abs((double) expected - actual);
        // Two NaNs of different bits, or a NaN where there is a number: as wrong as can be.
        return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
    }
}
