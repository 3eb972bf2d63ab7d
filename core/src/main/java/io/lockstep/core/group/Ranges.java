package io.lockstep.core.group;

/** The rules for ranges of shared memory. Beyond its end lies SIGBUS, so they are checked wherever a range comes in. */
final class Ranges {
    private Ranges() {}

    static void check(long offset, long bytes, long size, long pageSize) {
        if (offset < 0 || bytes <= 0 || offset % pageSize != 0 || bytes % pageSize != 0 || offset > size - bytes) {
            throw new IllegalArgumentException("Shared memory: the range of " + bytes + " bytes from " + offset
                    + ": expected multiples of " + pageSize + " within " + size + " bytes.");
        }
    }

    static void checkGrowth(long size, long bytes, long pageSize) {
        if (bytes < size || bytes % pageSize != 0) {
            throw new IllegalArgumentException("Shared memory: growth from " + size + " to " + bytes
                    + " bytes: expected a multiple of " + pageSize + " that is no less.");
        }
    }
}
