package io.lockstep.gpu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.posix.Descriptor;
import io.lockstep.core.posix.Memfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class HandleFileTest {
    @Test
    void aHandleIsReadAsItWasWrittenAndToldByItsName() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(64);
            for (int i = 0; i < 64; i++) {
                handle.set(ValueLayout.JAVA_BYTE, i, (byte) (3 * i + 1));
            }
            try (Descriptor file = new Descriptor(HandleFile.write("lockstep-test", handle))) {
                MemorySegment read = arena.allocate(64);
                HandleFile.read(file.number(), read);
                assertThat(read.mismatch(handle)).isEqualTo(-1);
                assertThat(HandleFile.is(file.number(), "lockstep-test")).isTrue();
                assertThat(HandleFile.is(file.number(), "lockstep")).isFalse();
            }
        }
    }

    @Test
    void anotherDescriptorIsNoHandle() {
        try (Descriptor file = Memfd.create("something-else")) {
            assertThat(HandleFile.is(file.number(), "lockstep-test")).isFalse();
        }
        assertThat(HandleFile.is(1_000_000, "lockstep-test")).isFalse();
    }
}
