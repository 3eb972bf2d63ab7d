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
    private static final int SLOT = 8192;
    private static final int BYTES = 5762;
    private static final int CALLS = 400;

    /** Through calls of both ways; not of a whole number of steps. */
    @Test
    void everyByteIsCopiedWhicheverWayACallGoes() {
        CopyPath path = new CopyPath(false);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocate(BYTES, 128);
            MemorySegment slots = arena.allocate(SLOTS * SLOT, 128);
            for (int call = 0; call < CALLS; call++) {
                from.fill((byte) call);
                MemorySegment to = slots.asSlice((long) call % SLOTS * SLOT, BYTES);
                path.begin(BYTES, true);
                path.copy(to.address(), from.address(), BYTES);
                path.expect(to.address(), BYTES);
                assertThat(to.mismatch(from)).as("call %s", call).isEqualTo(-1);
                path.end();
            }
        }
    }

    /** Lines in one's own cache are what stores past it would have to empty. */
    @Test
    void linesOfACallThatStreamsAreNotClaimed() {
        assumeTrue(Kernels.preferredVectorBits() >= 256 && StreamingCopy.isThere(), "nothing is streamed here");
        assertThat(claims(new CopyPath(false))).isBetween(1, CALLS - 1);
        assertThat(claims(new CopyPath(true)))
                .as("where ranks take turns nothing is streamed")
                .isEqualTo(CALLS);
    }

    private static int claims(CopyPath path) {
        int claims = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ones = arena.allocate(BYTES, 128).fill((byte) 1);
            MemorySegment slot = arena.allocate(SLOT, 128).asSlice(0, BYTES);
            for (int call = 0; call < CALLS; call++) {
                slot.fill((byte) 1);
                path.begin(BYTES, true);
                path.claim(slot.address(), BYTES);
                path.claimMore();
                path.claimMore();
                boolean claimed = slot.get(ValueLayout.JAVA_BYTE, 0) == 0;
                claims += claimed ? 1 : 0;
                // Three parts are the whole: nothing may be left for a later call to store.
                assertThat(slot.get(ValueLayout.JAVA_BYTE, (BYTES - 1) / 64 * 64) == 0)
                        .as("the last line of call %d", call)
                        .isEqualTo(claimed);
                slot.fill((byte) 1);
                path.claimMore();
                assertThat(slot.mismatch(ones))
                        .as("what was stored after call %d was claimed", call)
                        .isEqualTo(-1);
                path.end();
            }
        }
        return claims;
    }
}
