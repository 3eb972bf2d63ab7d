package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ranks in processes are killed, stopped and resumed at random moments of calls: the others hear of it in time, by the
 * right exception, no result is ever wrong, nothing is left behind, and the next group works.
 */
@EnabledOnOs(OS.LINUX)
class KilledAndStoppedRanksTest {
    private static final int WORLD = 3;
    private static final Duration DEADLINE = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** A report travels through a pipe, and the processor is shared with the ranks. */
    private static final long SLACK_MILLIS = 1000;

    private final List<LoopProcess> started = new ArrayList<>();
    private final LoopProcess[] ranks = new LoopProcess[WORLD];

    @TempDir
    Path temporary;

    private Path place = Path.of("");

    @BeforeEach
    void setUp() throws IOException {
        place = Files.createDirectory(
                temporary.resolve("runtime"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        for (int rank = 0; rank < WORLD; rank++) {
            ranks[rank] = start();
        }
    }

    @AfterEach
    void tearDown() throws InterruptedException {
        started.forEach(LoopProcess::close);
        for (LoopProcess process : started) {
            process.awaitEnd();
        }
    }

    private LoopProcess start() throws IOException {
        LoopProcess process = new LoopProcess(place);
        started.add(process);
        return process;
    }

    @Test
    void aFewRounds() throws Exception {
        long seed = 31;
        SplittableRandom random = new SplittableRandom(seed);
        Event[] events = {Event.KILL, Event.PAUSE_THEN_KILL, Event.STOP, Event.KILL, Event.KILL};
        for (int round = 0; round < events.length; round++) {
            round("seed " + seed + ", round " + round, round, events[round], random);
        }
    }

    @Test
    @Tag("slow")
    void twoHundredRounds() throws Exception {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 200; round++) {
            Event event = Event.values()[random.nextInt(Event.values().length)];
            round("seed " + seed + ", round " + round, round, event, random);
        }
    }

    private enum Event {
        KILL,
        STOP,
        /** Stopped for less than the deadline, which nobody minds; killed later. */
        PAUSE_THEN_KILL
    }

    private void round(String name, int round, Event event, SplittableRandom random) throws Exception {
        for (int rank = 0; rank < WORLD; rank++) {
            ranks[rank].tell("round-" + round + " " + rank + " " + WORLD + " " + DEADLINE.toMillis() + " " + round);
        }
        for (LoopProcess rank : ranks) {
            String line = rank.line(name, PATIENCE);
            if (line.equals("ready")) {
                line = rank.line(name, PATIENCE);
            }
            assertThat(line).as(name).isEqualTo("running");
        }
        try (Stream<Path> left = Files.list(place.resolve("lockstep"))) {
            assertThat(left).as(name + ": files where ranks meet").isEmpty();
        }
        Thread.sleep(random.nextInt(200));
        int victim = random.nextInt(WORLD);
        String what = name + ": " + event + " of rank " + victim;
        if (event == Event.PAUSE_THEN_KILL) {
            ranks[victim].signal("STOP");
            Thread.sleep(random.nextInt(500));
            ranks[victim].signal("CONT");
            Thread.sleep(random.nextInt(200));
        }
        ranks[victim].signal(event == Event.STOP ? "STOP" : "KILL");
        if (event != Event.STOP) {
            ranks[victim].awaitEnd();
        }
        // Not before: to start the program that sends the signal, and to end a process, may take long where others use
        // the processors, and nobody can hear of an end that has not come.
        long moment = System.currentTimeMillis();
        for (int rank = 0; rank < WORLD; rank++) {
            if (rank != victim) {
                assertHeard(what, rank, victim, moment, event);
            }
        }
        if (event == Event.STOP) {
            ranks[victim].signal("CONT");
            assertThat(ranks[victim].line(what, PATIENCE)).as(what).startsWith("failed ");
            assertThat(ranks[victim].holdsSharedMemory()).as(what).isFalse();
        } else {
            ranks[victim] = start();
        }
    }

    private void assertHeard(String what, int rank, int victim, long moment, Event event) throws Exception {
        String line = ranks[rank].line(what, PATIENCE);
        String[] words = line.split(" ", 5);
        assertThat(words[0]).as(what + ", rank " + rank + ": " + line).isEqualTo("failed");
        assertThat(words[1])
                .as(what + ", rank " + rank + ": " + line)
                .isEqualTo(event == Event.STOP ? "CollectiveTimeoutException" : "PeerLostException");
        assertThat(line).as(what + ", rank " + rank).contains("rank " + victim + " (pid ");
        // A rank hears of it in a call; before that it was making tensors or comparing them.
        long millis = Long.parseLong(words[2]) - Math.max(moment, Long.parseLong(words[3]));
        long most = event == Event.STOP ? DEADLINE.toMillis() + SLACK_MILLIS : 1000;
        assertThat(millis)
                .as(what + ", rank " + rank + ", milliseconds: " + line)
                .isLessThanOrEqualTo(most);
        assertThat(ranks[rank].holdsSharedMemory()).as(what).isFalse();
    }
}
