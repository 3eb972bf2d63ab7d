package io.lockstep.core.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class PosixTest {
    @Test
    void thisSystemIsReady() {
        assertThat(Libc.probe()).isInstanceOf(Readiness.Ready.class);
    }

    @Test
    void aMissingFunctionIsNamedByTheProbeAndNotByAClassThatFailsToLoad() {
        SymbolLookup libc = Linker.nativeLinker().defaultLookup();
        SymbolLookup poorer = name -> name.equals("geteuid") ? Optional.empty() : libc.find(name);
        Links links = new Links("libc", poorer, null);
        MethodHandle present = links.function("getpid", 0);
        MethodHandle absent = links.function("geteuid", 0);
        assertThat(links.readiness())
                .isInstanceOfSatisfying(
                        Readiness.NotReady.class,
                        notReady -> assertThat(notReady.reason())
                                .isEqualTo(
                                        "The system's libc lacks geteuid: use a newer one, or ranks that are threads of one JVM."));
        assertThat(absent.type()).isEqualTo(present.type());
        assertThatThrownBy(() -> {
                    long ignored = (long) absent.invokeExact(MemorySegment.NULL);
                })
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("geteuid");
    }

    @Test
    void anotherSystemIsNamedWithWhatWorksThere() {
        assertThat(Links.refusal("Linux", "amd64")).isNull();
        assertThat(Links.refusal("Linux", "aarch64")).isNull();
        assertThat(Links.refusal("Mac OS X", "aarch64"))
                .isEqualTo("Ranks as processes need Linux on x86-64 or aarch64, and this is Mac OS X on aarch64: use"
                        + " ranks that are threads of one JVM.");
        assertThat(Links.refusal("Linux", "riscv64")).contains("riscv64");
    }

    @Test
    void aFailedCallIsNamedWithItsErrorAndARemedy() {
        Descriptor memory = Memfd.create("test");
        assertThatThrownBy(() -> Memfd.resize(memory, -1))
                .isInstanceOf(DriverException.class)
                .hasMessage("ftruncate of shared memory to -1 bytes failed with EINVAL.");
        memory.close();
        assertThat(Errno.failure("socket(AF_UNIX)", Errno.EMFILE))
                .hasMessage("socket(AF_UNIX) failed with EMFILE: this process has too many open files: raise its"
                        + " limit (ulimit -n).");
    }

    @Test
    void theMemoryOfAGroupCannotBeShrunk() {
        try (Descriptor memory = Memfd.create("test")) {
            Memfd.resize(memory, 8 * Memfd.pageSize());
            assertThatThrownBy(() -> Memfd.resize(memory, Memfd.pageSize()))
                    .isInstanceOf(DriverException.class)
                    .hasMessageContaining("EPERM");
        }
    }

    @Test
    void aSleeperIsWokenThroughAnotherMappingOfTheWord() throws Exception {
        try (Descriptor memory = Memfd.create("test");
                Arena arena = Arena.ofShared()) {
            long page = Memfd.pageSize();
            Memfd.resize(memory, page);
            MemorySegment here = Memfd.map(memory, 0, page, arena);
            MemorySegment there = Memfd.map(memory, 0, page, arena);
            AtomicBoolean woken = new AtomicBoolean();
            Thread sleeper =
                    Thread.ofPlatform().start(() -> woken.set(new Futex().sleep(here, 64, 0, 10_000_000_000L)));
            Futex futex = new Futex();
            while (futex.wake(there, 64, 1) == 0) {
                Thread.sleep(1);
            }
            sleeper.join();
            assertThat(woken).isTrue();
        }
    }

    @Test
    void aSleepEndsAtOnceIfTheWordDiffersAndInTimeIfNobodyComes() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment word = arena.allocate(ValueLayout.JAVA_INT);
            word.set(ValueLayout.JAVA_INT, 0, -1);
            Futex futex = new Futex();
            long start = System.nanoTime();
            assertThat(futex.sleep(word, 0, 0, 10_000_000_000L)).isTrue();
            assertThat(System.nanoTime() - start).isLessThan(5_000_000_000L);
            assertThat(futex.sleep(word, 0, -1, 20_000_000L)).isFalse();
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(20_000_000L);
            assertThat(futex.wake(word, 0, 1)).isZero();
        }
    }

    @Test
    void aThreadCanBeBoundToOneOfItsProcessors() throws Exception {
        BitSet allowed = Affinity.ofCurrentThread();
        assertThat(allowed.isEmpty()).isFalse();
        BitSet last = new BitSet();
        last.set(allowed.length() - 1);
        BitSet found = new BitSet();
        Thread bound = Thread.ofPlatform().start(() -> {
            Affinity.bindCurrentThread(last);
            found.or(Affinity.ofCurrentThread());
        });
        bound.join();
        assertThat(found).isEqualTo(last);
        assertThat(Affinity.ofCurrentThread()).isEqualTo(allowed);
        assertThatThrownBy(() -> Affinity.bindCurrentThread(new BitSet()))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("EINVAL");
    }

    @Test
    void packetsCarryDescriptorsAndTheLastOneComesBeforeTheEnd() {
        List<Descriptor> pair = UnixSocket.pair();
        PacketReader reader = new PacketReader(16);
        assertThat(reader.receive(pair.getLast())).isInstanceOf(PacketReader.Received.Nothing.class);
        try (Descriptor memory = Memfd.create("test")) {
            Memfd.resize(memory, Memfd.pageSize());
            // The near end closes with a packet unread, which the kernel tells the far end as an error first.
            UnixSocket.send(pair.getLast(), new byte[1], List.of());
            UnixSocket.send(pair.getFirst(), new byte[] {1, 2, 3}, List.of(memory));
            pair.getFirst().close();
        }
        assertThat(reader.receive(pair.getLast()))
                .isInstanceOfSatisfying(PacketReader.Received.Packet.class, packet -> {
                    assertThat(packet.bytes().remaining()).isEqualTo(3);
                    assertThat(packet.descriptors()).hasSize(1);
                    assertThat(Memfd.size(packet.descriptors().getFirst())).isEqualTo(Memfd.pageSize());
                    packet.descriptors().getFirst().close();
                });
        assertThat(reader.receive(pair.getLast())).isInstanceOf(PacketReader.Received.End.class);
        assertThat(UnixSocket.send(pair.getLast(), new byte[1], List.of())).isEqualTo(UnixSocket.Sent.GONE);
        pair.getLast().close();
    }

    @Test
    void aPacketThatIsTooLongIsAnErrorAndNotCut() {
        List<Descriptor> pair = UnixSocket.pair();
        UnixSocket.send(pair.getFirst(), new byte[17], List.of());
        assertThatThrownBy(() -> new PacketReader(16).receive(pair.getLast()))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("more than 16 bytes failed with EMSGSIZE");
        pair.forEach(Descriptor::close);
    }
}
