package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.posix.StreamingCopy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class CopyPathTest {
    private static final int SLOTS = 4;
    private static final int BYTES = 5762;
    private static final int COPIES = 400;

    /** A copy that is timed ends with a fence, and no other does. */
    private static final class CountingWords extends SharedWords {
        int fences;

        @Override
        void fence() {
            fences++;
            super.fence();
        }
    }

    /** Claimed lines are near wherever the peer is: a copy to them tells nothing. */
    @Test
    void linesOfACopyThatIsTimedAreNotClaimed() {
        assumeTrue(Kernels.preferredVectorBits() >= 256 && StreamingCopy.isThere(), "no copy is timed here");
        CountingWords words = new CountingWords();
        CopyPath path = new CopyPath(words);
        boolean[] claimed = new boolean[COPIES + 2];
        int timed = 0;
        int claims = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocate(BYTES, 128).fill((byte) 1);
            MemorySegment slots = arena.allocate(SLOTS * 8192L, 128);
            for (int copy = 0; copy < COPIES; copy++) {
                int fences = words.fences;
                path.copy(slots.address() + copy % SLOTS * 8192L, from.address(), BYTES);
                if (words.fences > fences) {
                    timed++;
                    assertThat(claimed[copy])
                            .as("copy %d, which was timed", copy)
                            .isFalse();
                }
                MemorySegment later = slots.asSlice((copy + 2) % SLOTS * 8192L, BYTES);
                later.fill((byte) 1);
                path.claim(later.address(), BYTES);
                path.claimMore();
                path.claimMore();
                claimed[copy + 2] = later.get(ValueLayout.JAVA_BYTE, 0) == 0;
                claims += claimed[copy + 2] ? 1 : 0;
                // Three parts are the whole: nothing may be left for a later call to store.
                if (claimed[copy + 2]) {
                    assertThat(later.get(ValueLayout.JAVA_BYTE, (BYTES - 1) / 64 * 64))
                            .as("the last line of copy %d", copy + 2)
                            .isZero();
                }
                later.fill((byte) 1);
                path.claimMore();
                assertThat(later.mismatch(from))
                        .as("what was stored after copy %d was claimed", copy + 2)
                        .isEqualTo(-1);
            }
        }
        assertThat(timed).isPositive();
        assertThat(claims).isPositive();
    }
}
