package io.lockstep.core.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.DriverException;
import io.lockstep.core.posix.Descriptor;
import io.lockstep.core.posix.Memfd;
import io.lockstep.core.posix.UnixSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Ranks that are processes give one another what has a descriptor. */
class DescriptorSharingTest {
    private static final int RANKS = 3;
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private final List<ProcessMembership> group = group();

    @AfterEach
    void leave() {
        group.forEach(Membership::close);
    }

    private static List<ProcessMembership> group() {
        List<Map<Integer, Descriptor>> streams = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            streams.add(new TreeMap<>());
        }
        for (int rank = 0; rank < RANKS; rank++) {
            for (int peer = 0; peer < rank; peer++) {
                List<Descriptor> pair = UnixSocket.pair();
                streams.get(rank).put(peer, pair.get(0));
                streams.get(peer).put(rank, pair.get(1));
            }
        }
        List<ProcessMembership> places = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            MemfdMemory memory = new MemfdMemory(Memfd.create("test"));
            places.add(new ProcessMembership(rank, List.of(1L, 2L, 3L), memory, streams.get(rank)));
        }
        return places;
    }

    /** Memory that holds one number. */
    private static Descriptor memoryOf(int number) {
        Descriptor memory = Memfd.create("number");
        Memfd.resize(memory, Memfd.pageSize());
        try (Arena arena = Arena.ofConfined()) {
            Memfd.map(memory, 0, Memfd.pageSize(), arena).set(ValueLayout.JAVA_INT, 0, number);
        }
        return memory;
    }

    private static int number(Descriptor memory) {
        try (Arena arena = Arena.ofConfined()) {
            return Memfd.map(memory, 0, Memfd.pageSize(), arena).get(ValueLayout.JAVA_INT, 0);
        }
    }

    @Test
    void everyRankReachesTheMemoryOfEveryOther() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(RANKS)) {
            List<Future<Map<Integer, Integer>>> found = new ArrayList<>();
            for (ProcessMembership place : group) {
                found.add(threads.submit(() -> {
                    Map<Integer, Integer> numbers = new TreeMap<>();
                    try (Descriptor mine = memoryOf(10 + place.rank())) {
                        place.allGatherDescriptors("numbers", mine, TIMEOUT).forEach((peer, theirs) -> {
                            numbers.put(peer, number(theirs));
                            theirs.close();
                        });
                        place.allGather("the end", new byte[0], TIMEOUT);
                    }
                    return numbers;
                }));
            }
            assertThat(found.get(0).get()).isEqualTo(Map.of(1, 11, 2, 12));
            assertThat(found.get(1).get()).isEqualTo(Map.of(0, 10, 2, 12));
            assertThat(found.get(2).get()).isEqualTo(Map.of(0, 10, 1, 11));
        }
    }

    @Test
    void aMessageWithoutADescriptorIsNamed() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(RANKS);
                Descriptor mine = memoryOf(1)) {
            Future<?> giving = threads.submit(() -> group.get(0).allGatherDescriptors("numbers", mine, TIMEOUT));
            Future<?> keeping = threads.submit(() -> group.get(1).allGather("numbers", new byte[0], TIMEOUT));
            Future<?> keepingToo = threads.submit(() -> group.get(2).allGather("numbers", new byte[0], TIMEOUT));
            keeping.get();
            keepingToo.get();
            assertThatThrownBy(giving::get)
                    .isInstanceOf(ExecutionException.class)
                    .cause()
                    .isInstanceOf(DriverException.class)
                    .hasMessageContaining("Rank 0 got no descriptor with numbers of rank 1 (pid 2) and rank 2 (pid 3)");
        }
    }
}
