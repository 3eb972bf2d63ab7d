package io.lockstep.core.group;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.UsageException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RendezvousTest {
    private static final Duration SHORT = Duration.ofMillis(400);

    @TempDir
    Path temporary;

    private Path place = Path.of("");
    private Joining joining = new Joining(place);

    @BeforeEach
    void setUp() {
        place = Joining.directory(temporary, "place", "rwx------");
        joining = new Joining(place);
    }

    @AfterEach
    void tearDown() {
        joining.close();
        assertThat(place).isEmptyDirectory();
    }

    @Test
    void everyRankGetsTheMessageOfEveryRankAgainAndAgain() {
        List<Membership> members = joining.joinAll("g", 4);
        byte[] large = new byte[Membership.MOST_MESSAGE_BYTES];
        for (int call = 0; call < 50; call++) {
            large[call] = (byte) call;
            joining.gatherAll(members, "large", large, Joining.PATIENCE)
                    .forEach(all ->
                            assertThat(Joining.result(all)).isEqualTo(new byte[][] {large, large, large, large}));
        }
        members.forEach(Membership::close);
    }

    @Test
    void aRankMayBeAnExchangeAheadOfTheOthers() {
        List<Membership> members = joining.joinAll("g", 2);
        byte[] large = new byte[Membership.MOST_MESSAGE_BYTES];
        CompletableFuture<byte[][]> first = joining.gatherAll(members.subList(0, 1), "first", large, Joining.PATIENCE)
                .getFirst();
        members.get(1).allGather("first", large, Joining.PATIENCE);
        CompletableFuture<byte[][]> second = joining.gatherAll(members.subList(1, 2), "second", large, Joining.PATIENCE)
                .getFirst();
        Joining.result(first);
        members.get(0).allGather("second", large, Joining.PATIENCE);
        Joining.result(second);
        members.forEach(Membership::close);
    }

    @Test
    void nothingStaysOpenWhenAGroupIsClosed() {
        joining.assertThatANewGroupForms("warm-up", 3);
        int before = Joining.openDescriptors();
        for (int i = 0; i < 5; i++) {
            joining.assertThatANewGroupForms("g", 3);
        }
        assertThat(Joining.openDescriptors()).isEqualTo(before);
    }

    @Test
    void groupsOfDifferentNamesFormAtOnceAndDoNotMeet() {
        List<CompletableFuture<Membership>> joins = Stream.of("a", "b", "c")
                .flatMap(group -> IntStream.range(0, 3).mapToObj(rank -> joining.join(group, rank, 3)))
                .toList();
        List<Membership> members = joins.stream().map(Joining::result).toList();
        for (int group = 0; group < 3; group++) {
            byte[] mine = {(byte) group};
            joining.gatherAll(members.subList(3 * group, 3 * group + 3), "group", mine, Joining.PATIENCE)
                    .forEach(all -> assertThat(Joining.result(all)).isEqualTo(new byte[][] {mine, mine, mine}));
        }
        members.forEach(Membership::close);
    }

    @Test
    void aRankThatDoesNotComeIsNamedToEveryRankThatWaits() {
        GroupSpec spec = GroupSpec.of("g", 0, 4).withJoinTimeout(SHORT);
        CompletableFuture<Membership> zero = joining.join(spec, "1.0");
        CompletableFuture<Membership> one = joining.join("g", 1, 4);
        CompletableFuture<Membership> three = joining.join("g", 3, 4);
        for (CompletableFuture<Membership> rank : List.of(zero, one, three)) {
            assertThat(Joining.failure(rank, CollectiveTimeoutException.class))
                    .contains("Group 'g': rank 2 did not come to " + place + " within 400 ms")
                    .contains("rank 0 (pid ")
                    .contains("LOCKSTEP_JOIN_TIMEOUT");
        }
        joining.assertThatANewGroupForms("g", 4);
    }

    @Test
    void aRankThatGivesUpFirstSaysForWhomItWaited() {
        CompletableFuture<Membership> zero = joining.join("g", 0, 3);
        CompletableFuture<Membership> one = joining.join(GroupSpec.of("g", 1, 3).withJoinTimeout(SHORT), "1.0");
        for (CompletableFuture<Membership> rank : List.of(zero, one)) {
            assertThat(Joining.failure(rank, CollectiveTimeoutException.class))
                    .contains("rank 2 did not come to " + place + " within 400 ms");
        }
        joining.assertThatANewGroupForms("g", 3);
    }

    @Test
    void withoutRankZeroItIsNamed() {
        CompletableFuture<Membership> one = joining.join(GroupSpec.of("g", 1, 2).withJoinTimeout(SHORT), "1.0");
        assertThat(Joining.failure(one, CollectiveTimeoutException.class))
                .contains("Group 'g': rank 0 did not come to " + place + " within 400 ms, awaited by rank 1 (pid ");
        joining.assertThatANewGroupForms("g", 2);
    }

    @Test
    void aRankThatComesTwiceIsRefusedOnEveryRank() {
        List<CompletableFuture<Membership>> ranks =
                List.of(joining.join("g", 0, 3), joining.join("g", 1, 3), joining.join("g", 1, 3));
        long pid = ProcessHandle.current().pid();
        ranks.forEach(rank -> assertThat(Joining.failure(rank, DisagreementException.class))
                .isEqualTo("Group 'g': rank 1 came twice, as pid " + pid + " and as pid " + pid
                        + ": give every process a rank of its own."));
        joining.assertThatANewGroupForms("g", 3);
    }

    @Test
    void anotherWorldSizeIsRefusedOnEveryRankWithBothShown() {
        List<CompletableFuture<Membership>> ranks =
                List.of(joining.join("g", 0, 3), joining.join("g", 1, 3), joining.join("g", 2, 4));
        ranks.forEach(rank -> assertThat(Joining.failure(rank, DisagreementException.class))
                .contains("rank 0 (pid ")
                .contains("has world size 3 and rank 2 (pid ")
                .contains("has world size 4"));
        joining.assertThatANewGroupForms("g", 3);
    }

    @Test
    void anotherVersionIsRefusedOnEveryRankEvenOnOneThatComesLate() throws Exception {
        CompletableFuture<Membership> zero = joining.join("g", 0, 3);
        CompletableFuture<Membership> one =
                joining.join(GroupSpec.of("g", 1, 3).withJoinTimeout(Joining.PATIENCE), "2.0");
        Thread.sleep(300);
        CompletableFuture<Membership> two = joining.join("g", 2, 3);
        List.of(zero, one, two)
                .forEach(rank -> assertThat(Joining.failure(rank, DisagreementException.class))
                        .contains("runs Lockstep 1.0 (protocol " + Packets.PROTOCOL + ") and rank 1 (pid ")
                        .contains("runs Lockstep 2.0 (protocol " + Packets.PROTOCOL
                                + "): run one version on all ranks."));
        joining.assertThatANewGroupForms("g", 3);
    }

    @Test
    void aSecondRankZeroIsRefusedAndTheFirstIsNotDisturbed() throws Exception {
        CompletableFuture<Membership> first = joining.join("g", 0, 2);
        awaitSocket("g");
        CompletableFuture<Membership> second = joining.join("g", 0, 2);
        assertThat(Joining.failure(second, DisagreementException.class))
                .startsWith("Group 'g': rank 0 came twice, first as pid "
                        + ProcessHandle.current().pid());
        Membership one = Joining.result(joining.join("g", 1, 2));
        Joining.result(first).close();
        one.close();
    }

    @Test
    void aSocketThatADeadGroupLeftIsReplaced() throws Exception {
        leaveSocket("g");
        joining.assertThatANewGroupForms("g", 2);
        leaveSocket("g");
        CompletableFuture<Membership> one = joining.join(GroupSpec.of("g", 1, 2).withJoinTimeout(SHORT), "1.0");
        Joining.failure(one, CollectiveTimeoutException.class);
        assertThat(place).isEmptyDirectory();
    }

    @Test
    void aConnectionThatSaysNothingDoesNotDisturbTheGroup() throws Exception {
        CompletableFuture<Membership> zero = joining.join("g", 0, 2);
        awaitSocket("g");
        try (MeetingPlace there = MeetingPlace.open(place)) {
            for (int i = 0; i < 10; i++) {
                if (there.connect("g") instanceof io.lockstep.core.posix.UnixSocket.Connection.Connected silent
                        && i % 2 == 0) {
                    silent.socket().close();
                }
            }
        }
        Membership one = Joining.result(joining.join("g", 1, 2));
        Joining.result(zero).close();
        one.close();
    }

    @Test
    void aRankThatClosesIsToldApartAndTheReasonGoesRound() {
        List<Membership> members = joining.joinAll("g", 3);
        assertThat(members.get(0).lost(1)).isNull();
        members.get(1).close();
        String loss = members.get(1).describe(1) + " closed its communicator";
        assertThat(members.get(0).lost(1)).isEqualTo(loss);
        assertThat(members.get(0).lost(2)).isNull();
        members.get(0).close();
        assertThat(members.get(2).lost(0))
                .isEqualTo(members.get(0).describe(0) + " closed its communicator because " + loss);
        members.get(2).close();
    }

    @Test
    void aMessageThatWasSentBeforeClosingIsNotLost() {
        List<Membership> members = joining.joinAll("g", 2);
        CompletableFuture<byte[][]> zero = joining.gatherAll(
                        members.subList(0, 1), "last", new byte[] {7}, Joining.PATIENCE)
                .getFirst();
        members.get(1).allGather("last", new byte[] {8}, Joining.PATIENCE);
        members.get(1).close();
        assertThat(Joining.result(zero)).isEqualTo(new byte[][] {{7}, {8}});
        members.get(0).close();
    }

    @Test
    void whoDoesNotComeToAnExchangeIsNamedAndTheGroupIsOfNoFurtherUse() {
        List<Membership> members = joining.joinAll("g", 3);
        List<CompletableFuture<byte[][]>> calls =
                joining.gatherAll(members.subList(0, 2), "the plan", new byte[0], SHORT);
        for (int rank = 0; rank < 2; rank++) {
            assertThat(Joining.failure(calls.get(rank), CollectiveTimeoutException.class))
                    .startsWith("Rank " + rank + " waited 400 ms for the plan of "
                            + members.get(0).describe(2) + ", which still runs");
        }
        assertThat(Joining.failure(
                        joining.gatherAll(members.subList(0, 1), "more", new byte[0], SHORT)
                                .getFirst(),
                        UsageException.class))
                .contains("failed before");
        members.get(0).close();
        assertThat(members.get(2).lost(0))
                .endsWith("closed its communicator because " + members.get(0).describe(2)
                        + " did not come within 400 ms");
        members.forEach(Membership::close);
        joining.assertThatANewGroupForms("g", 3);
    }

    @Test
    void anotherExchangeIsADisagreementOnBothSides() {
        List<Membership> members = joining.joinAll("g", 2);
        CompletableFuture<byte[][]> plan = joining.gatherAll(
                        members.subList(0, 1), "a plan", new byte[0], Joining.PATIENCE)
                .getFirst();
        CompletableFuture<byte[][]> barrier = joining.gatherAll(
                        members.subList(1, 2), "a barrier", new byte[0], Joining.PATIENCE)
                .getFirst();
        assertThat(Joining.failure(plan, DisagreementException.class))
                .startsWith("Rank 0 exchanges a plan (exchange 1), and rank 1 (pid ")
                .contains("exchanges a barrier (exchange 1)");
        assertThat(Joining.failure(barrier, DisagreementException.class)).startsWith("Rank 1 exchanges a barrier");
        members.forEach(Membership::close);
    }

    @Test
    void closingEndsAnExchangeOfAnotherThread() throws Exception {
        List<Membership> members = joining.joinAll("g", 2);
        CompletableFuture<byte[][]> call = joining.gatherAll(members.subList(0, 1), "it", new byte[0], Joining.PATIENCE)
                .getFirst();
        Thread.sleep(100);
        members.get(0).close();
        assertThat(Joining.failure(call, UsageException.class)).contains("closed its communicator");
        assertThat(members.get(1).lost(0)).isEqualTo(members.get(1).describe(0) + " closed its communicator");
        members.forEach(Membership::close);
    }

    private void awaitSocket(String group) throws InterruptedException {
        while (!Files.exists(place.resolve(group + ".sock"))) {
            Thread.sleep(1);
        }
        Thread.sleep(50);
    }

    /** As a process does that is killed while it listens. */
    private void leaveSocket(String group) throws Exception {
        try (ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.bind(UnixDomainSocketAddress.of(place.resolve(group + ".sock")));
        }
        assertThat(place).isNotEmptyDirectory();
    }
}
