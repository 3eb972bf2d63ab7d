package io.lockstep.core.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.DriverException;
import io.lockstep.core.posix.Memfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SharedMemoryTest {
    private static final long MIB = 1 << 20;

    static Stream<SharedMemory> kinds() {
        return Stream.of(new MemfdMemory(Memfd.create("test")), new ArenaMemory());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void everyMappingOfARangeShowsTheSameBytesAndGrowthKeepsThem(SharedMemory memory) {
        long page = memory.pageSize();
        try (Arena arena = Arena.ofShared()) {
            memory.grow(2 * page);
            MemorySegment one = memory.map(page, page, arena);
            memory.grow(6 * page);
            MemorySegment two = memory.map(page, page, arena);
            MemorySegment later = memory.map(3 * page, 2 * page, arena);
            one.set(ValueLayout.JAVA_LONG, 8, 4711);
            later.set(ValueLayout.JAVA_LONG, page, 4712);
            assertThat(two.get(ValueLayout.JAVA_LONG, 8)).isEqualTo(4711);
            assertThat(memory.map(4 * page, page, arena).get(ValueLayout.JAVA_LONG, 0))
                    .isEqualTo(4712);
            assertThat(memory.size()).isEqualTo(6 * page);
        }
        close(memory);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aReleasedRangeReadsAsZerosAndItsNeighboursStay(SharedMemory memory) {
        long page = memory.pageSize();
        try (Arena arena = Arena.ofShared()) {
            memory.grow(3 * page);
            memory.commit(0, 3 * page);
            MemorySegment all = memory.map(0, 3 * page, arena);
            all.fill((byte) 1);
            memory.release(page, page);
            assertThat(List.of(all.get(ValueLayout.JAVA_BYTE, page - 1), all.get(ValueLayout.JAVA_BYTE, page)))
                    .containsExactly((byte) 1, (byte) 0);
            assertThat(all.get(ValueLayout.JAVA_BYTE, 2 * page)).isEqualTo((byte) 1);
        }
        close(memory);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aRangeOutsideOrAcrossPagesIsRefused(SharedMemory memory) {
        long page = memory.pageSize();
        memory.grow(2 * page);
        try (Arena arena = Arena.ofConfined()) {
            for (long[] range :
                    new long[][] {{0, 3 * page}, {2 * page, page}, {1, page}, {0, 1}, {0, 0}, {-page, page}}) {
                assertThatThrownBy(() -> memory.map(range[0], range[1], arena))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("expected multiples of " + page + " within " + 2 * page + " bytes");
            }
        }
        assertThatThrownBy(() -> memory.grow(page)).isInstanceOf(IllegalArgumentException.class);
        close(memory);
    }

    @Test
    void moreThanTheMachineHasIsRefusedBeforeAnythingIsCommitted() {
        MemfdMemory memory = new MemfdMemory(Memfd.create("test"));
        long tooMuch = 1L << 45;
        assertThatThrownBy(() -> memory.grow(tooMuch))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("Shared memory needs 33554432.0 MiB, and ")
                .hasMessageMatching(".* leaves [0-9.]+ MiB: .*plan fewer tokens\\.");
        assertThat(memory.size()).isZero();
        memory.grow(MIB);
        memory.commit(0, MIB);
        memory.close();
    }

    @Test
    void aMappingOutlivesTheMemoryItIsOf() {
        MemfdMemory memory = new MemfdMemory(Memfd.create("test"));
        try (Arena arena = Arena.ofConfined()) {
            memory.grow(memory.pageSize());
            MemorySegment page = memory.map(0, memory.pageSize(), arena);
            memory.close();
            page.set(ValueLayout.JAVA_INT, 0, 1);
            assertThat(page.get(ValueLayout.JAVA_INT, 0)).isEqualTo(1);
        }
    }

    private static void close(SharedMemory memory) {
        if (memory instanceof MemfdMemory shared) {
            shared.close();
        }
    }
}
