package io.lockstep.core.posix;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.BitSet;

/** The processors that the calling thread may run on. */
public final class Affinity {
    private static final int SMALLEST_MASK = 128;
    private static final int LARGEST_MASK = 8192;

    private Affinity() {}

    /** The processors that the calling thread may run on now. */
    public static BitSet ofCurrentThread() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Errno.STATE);
            // A kernel built for more processors than the mask has bits answers EINVAL.
            for (int bytes = SMALLEST_MASK; ; bytes *= 2) {
                MemorySegment mask = arena.allocate(bytes, Long.BYTES);
                int result = Libc.schedGetaffinity(state, 0, bytes, mask);
                if (result == -Errno.EINVAL && bytes < LARGEST_MASK) {
                    continue;
                }
                Errno.check(result, "sched_getaffinity");
                return BitSet.valueOf(mask.asByteBuffer().order(ByteOrder.nativeOrder()));
            }
        }
    }

    /** Binds the calling thread, a platform thread, to these processors; at least one of them must be usable. */
    public static void bindCurrentThread(BitSet processors) {
        long[] words = processors.toLongArray();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocateFrom(ValueLayout.JAVA_LONG, words);
            Errno.check(
                    Libc.schedSetaffinity(arena.allocate(Errno.STATE), 0, mask.byteSize(), mask),
                    "sched_setaffinity to processors " + processors);
        }
    }
}
