package io.lockstep.gpu.collective;

import io.lockstep.core.DType;
import io.lockstep.core.reference.Elements;
import io.lockstep.gpu.collective.Difference.Element;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The one parameter of the kernels that check, and what they leave for each thread: {@code LsCheckArgs} and
 * {@code LsDifference} of {@code check.cu}.
 *
 * <pre>
 * arguments     0 made    8 found      16 wanted   24 wrong     32 differences   40 key
 *              48 nanos  56 rows       60 call     64 tensor    68 unused
 * difference    0 bits    8 elements   16 error    24 element   32 call          36 tensor   40 wanted   44 found
 * </pre>
 */
final class CheckArguments {
    static final int BYTES = 72;
    static final long MADE = 0;
    static final long FOUND = 8;
    static final long WANTED = 16;
    static final long WRONG = 24;
    static final long DIFFERENCES = 32;
    static final long KEY = 40;
    static final long NANOS = 48;
    static final long ROWS = 56;
    static final long CALL = 60;
    static final long TENSOR = 64;

    static final int DIFFERENCE_BYTES = 48;
    static final long BITS = 0;
    static final long ELEMENTS = 8;
    static final long ERROR = 16;
    static final long ELEMENT = 24;
    static final long FIRST_CALL = 32;
    static final long FIRST_TENSOR = 36;
    static final long FIRST_WANTED = 40;
    static final long FIRST_FOUND = 44;

    private final MemorySegment memory;

    /** Over memory of at least {@link #BYTES}. */
    CheckArguments(MemorySegment memory) {
        this.memory = memory;
    }

    /** Where the findings go. */
    void findings(long wrong, long differences) {
        memory.set(ValueLayout.JAVA_LONG, WRONG, wrong);
        memory.set(ValueLayout.JAVA_LONG, DIFFERENCES, differences);
    }

    void make(long to, long key, int rows) {
        memory.set(ValueLayout.JAVA_LONG, MADE, to);
        memory.set(ValueLayout.JAVA_LONG, KEY, key);
        memory.set(ValueLayout.JAVA_INT, ROWS, rows);
    }

    void compare(long found, long wanted, int rows, int call, int tensor) {
        memory.set(ValueLayout.JAVA_LONG, FOUND, found);
        memory.set(ValueLayout.JAVA_LONG, WANTED, wanted);
        memory.set(ValueLayout.JAVA_INT, ROWS, rows);
        memory.set(ValueLayout.JAVA_INT, CALL, call);
        memory.set(ValueLayout.JAVA_INT, TENSOR, tensor);
    }

    void pause(long nanos) {
        memory.set(ValueLayout.JAVA_LONG, NANOS, nanos);
    }

    /** What all threads together have found. */
    static Difference total(MemorySegment differences, DType dtype) {
        Difference all = Difference.NONE;
        for (long at = 0; at < differences.byteSize(); at += DIFFERENCE_BYTES) {
            long elements = differences.get(ValueLayout.JAVA_LONG, at + ELEMENTS);
            if (elements > 0) {
                all = all.plus(new Difference(
                        differences.get(ValueLayout.JAVA_LONG, at + BITS),
                        elements,
                        differences.get(ValueLayout.JAVA_DOUBLE, at + ERROR),
                        new Element(
                                differences.get(ValueLayout.JAVA_INT, at + FIRST_CALL),
                                differences.get(ValueLayout.JAVA_INT, at + FIRST_TENSOR),
                                differences.get(ValueLayout.JAVA_LONG, at + ELEMENT),
                                Elements.get(dtype, differences.asSlice(at + FIRST_WANTED, Integer.BYTES), 0),
                                Elements.get(dtype, differences.asSlice(at + FIRST_FOUND, Integer.BYTES), 0))));
            }
        }
        return all;
    }
}
