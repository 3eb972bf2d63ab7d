package io.lockstep.core.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamingCopyTest {
    private static final int GUARD = 256;

    @BeforeEach
    void requireTheCode() {
        assumeThat(StreamingCopy.isThere())
                .as("machine code for x86-64 on Linux")
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 64, 1024})
    void everyByteArrivesAndNoneBeside(int steps) {
        long bytes = (long) steps * StreamingCopy.STEP;
        try (Arena arena = Arena.ofConfined()) {
            for (int shift : new int[] {0, 2, 33}) {
                MemorySegment from = arena.allocate(bytes + shift, 64);
                byte[] random = new byte[(int) from.byteSize()];
                new Random(steps).nextBytes(random);
                from.copyFrom(MemorySegment.ofArray(random));
                MemorySegment to = arena.allocate(bytes + 2 * GUARD, 64).fill((byte) 77);
                StreamingCopy.copy(to.address() + GUARD, from.address() + shift, bytes);
                assertThat(to.asSlice(GUARD, bytes).mismatch(from.asSlice(shift, bytes)))
                        .isEqualTo(-1);
                for (long at = 0; at < GUARD; at++) {
                    assertThat(to.get(ValueLayout.JAVA_BYTE, at)).isEqualTo((byte) 77);
                    assertThat(to.get(ValueLayout.JAVA_BYTE, GUARD + bytes + at))
                            .isEqualTo((byte) 77);
                }
            }
        }
    }

    /** It faults nowhere and changes nothing, at the end of mapped memory and where none is. */
    @ParameterizedTest
    @ValueSource(longs = {1, 64, 5760, 1 << 20})
    void aPrefetchOnlyAsks(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment there = arena.allocate(4096, 64).fill((byte) 5);
            StreamingCopy.prefetch(there.address(), bytes);
            StreamingCopy.prefetch(there.address() + 4095, bytes);
            StreamingCopy.prefetch(64, bytes);
            assertThat(there.toArray(ValueLayout.JAVA_BYTE)).containsOnly((byte) 5);
        }
    }
}
