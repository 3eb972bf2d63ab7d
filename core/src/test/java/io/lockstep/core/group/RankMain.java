package io.lockstep.core.group;

import io.lockstep.core.GroupSpec;
import io.lockstep.core.LockstepException;
import io.lockstep.core.posix.Libc;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The program of a {@link RankProcess}. It answers every line with one line. */
final class RankMain {
    private @Nullable Membership membership;

    private RankMain() {}

    static void main(String[] arguments) throws IOException {
        RankMain rank = new RankMain();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        // Linking takes its time in a young JVM; who waits for this one shall not wait for that.
        Libc.require();
        System.out.println("ready");
        String line;
        while ((line = in.readLine()) != null) {
            try {
                System.out.println(rank.perform(List.of(line.split(" ", -1))));
            } catch (LockstepException e) {
                System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
            }
        }
    }

    private String perform(List<String> words) {
        return switch (words.getFirst()) {
            case "join" -> {
                long start = System.nanoTime();
                GroupSpec spec = GroupSpec.of(
                                words.get(2), Integer.parseInt(words.get(3)), Integer.parseInt(words.get(4)))
                        .withJoinTimeout(Duration.ofMillis(Long.parseLong(words.get(5))));
                membership = Rendezvous.join(spec, Path.of(words.get(1)), words.get(6));
                yield "joined " + (System.nanoTime() - start) / 1000;
            }
            case "gather" -> {
                byte[][] all = here().allGather(
                                "words",
                                words.get(1).getBytes(StandardCharsets.UTF_8),
                                Duration.ofMillis(Long.parseLong(words.get(2))));
                yield Arrays.stream(all)
                        .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                        .collect(Collectors.joining(" "));
            }
            case "lost" -> await(Integer.parseInt(words.get(1)));
            case "grow" -> {
                here().memory().grow(Long.parseLong(words.get(1)));
                yield "grown";
            }
            case "write", "read" -> {
                SharedMemory memory = here().memory();
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment page = memory.map(memory.size() - memory.pageSize(), memory.pageSize(), arena);
                    if (words.getFirst().equals("write")) {
                        page.set(ValueLayout.JAVA_INT, 0, Integer.parseInt(words.get(1)));
                    }
                    yield "holds " + page.get(ValueLayout.JAVA_INT, 0);
                }
            }
            case "close" -> {
                here().close();
                yield "closed";
            }
            default -> throw new IllegalArgumentException(words.toString());
        };
    }

    /** Asks every millisecond whether the peer is lost, as a waiter does. */
    private String await(int peer) {
        long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (System.nanoTime() < end) {
            String loss = here().lost(peer);
            if (loss != null) {
                return loss;
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        return "still there";
    }

    private Membership here() {
        if (membership == null) {
            throw new IllegalStateException("not joined");
        }
        return membership;
    }
}
