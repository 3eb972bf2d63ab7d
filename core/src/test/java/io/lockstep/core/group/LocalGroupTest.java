package io.lockstep.core.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.PeerLostException;
import io.lockstep.core.UsageException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LocalGroupTest {
    private static final Duration SHORT = Duration.ofMillis(200);

    private final Joining threads = new Joining(Path.of(""));

    @AfterEach
    void tearDown() {
        threads.close();
    }

    @Test
    void everyThreadGetsTheMessageOfEveryThread() {
        for (int worldSize = 2; worldSize <= 8; worldSize++) {
            List<Membership> members = LocalGroup.create(worldSize);
            for (int call = 0; call < 100; call++) {
                byte[] mine = {(byte) call};
                threads.gatherAll(members, "call", mine, Joining.PATIENCE)
                        .forEach(all -> assertThat(List.of(Joining.result(all)))
                                .allSatisfy(row -> assertThat(row).isEqualTo(mine)));
            }
            members.forEach(Membership::close);
        }
    }

    @Test
    void theMemoryIsOneWithAndWithoutASystemThatSharesIt() {
        for (List<Membership> members : List.of(LocalGroup.create(2), LocalGroup.create(2, new ArenaMemory()))) {
            long page = members.get(0).memory().pageSize();
            members.get(0).memory().grow(page);
            members.get(0).memory().grow(3 * page);
            try (Arena arena = Arena.ofShared()) {
                members.get(0).memory().map(page, page, arena).set(ValueLayout.JAVA_INT, 4, 4711);
                assertThat(members.get(1).memory().map(page, page, arena).get(ValueLayout.JAVA_INT, 4))
                        .isEqualTo(4711);
            }
            members.forEach(Membership::close);
        }
    }

    @Test
    void whoLeavesIsNamedAndTheReasonGoesRound() {
        List<Membership> members = LocalGroup.create(3);
        assertThat(members.get(0).lost(2)).isNull();
        members.get(2).close();
        assertThat(members.get(0).lost(2)).isEqualTo("rank 2 closed its communicator");
        assertThatThrownBy(() -> members.get(0).allGather("it", new byte[0], Joining.PATIENCE))
                .isInstanceOf(PeerLostException.class)
                .hasMessageContaining("Rank 0 awaited it of every rank, and rank 2 closed its communicator");
        members.get(0).close();
        assertThat(members.get(1).lost(0))
                .isEqualTo("rank 0 closed its communicator because rank 2 closed its communicator");
    }

    @Test
    void leavingEndsTheWaitOfOthersAtOnce() throws Exception {
        List<Membership> members = LocalGroup.create(2);
        CompletableFuture<byte[][]> call = threads.gatherAll(members.subList(0, 1), "it", new byte[0], Joining.PATIENCE)
                .getFirst();
        Thread.sleep(50);
        members.get(1).close();
        Joining.failure(call, PeerLostException.class);
    }

    @Test
    void whoDoesNotComeIsNamed() {
        List<Membership> members = LocalGroup.create(3);
        assertThatThrownBy(() -> members.get(1).allGather("the plan", new byte[0], SHORT))
                .isInstanceOf(CollectiveTimeoutException.class)
                .hasMessageStartingWith("Rank 1 waited 200 ms for the plan of rank 0 and rank 2, which still run but");
        assertThatThrownBy(() -> members.get(1).allGather("the plan", new byte[0], SHORT))
                .isInstanceOf(UsageException.class);
    }

    @Test
    void anotherExchangeIsADisagreement() {
        List<Membership> members = LocalGroup.create(2);
        List<CompletableFuture<byte[][]>> calls = List.of(
                threads.gatherAll(members.subList(0, 1), "a plan", new byte[0], Joining.PATIENCE)
                        .getFirst(),
                threads.gatherAll(members.subList(1, 2), "a barrier", new byte[0], Joining.PATIENCE)
                        .getFirst());
        calls.forEach(call -> Joining.failure(call, DisagreementException.class));
    }

    @Test
    void anInterruptCutsNoWaitShortAndIsNotForgotten() {
        List<Membership> members = LocalGroup.create(2);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> members.get(0).allGather("it", new byte[0], SHORT))
                .isInstanceOf(CollectiveTimeoutException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void closingTheLastPlaceReleasesTheMemory() {
        LocalGroup.create(2).forEach(Membership::close);
        int before = Joining.openDescriptors();
        List<Membership> members = LocalGroup.create(2);
        assertThat(Joining.openDescriptors()).isEqualTo(before + 1);
        members.forEach(Membership::close);
        members.forEach(Membership::close);
        assertThat(Joining.openDescriptors()).isEqualTo(before);
    }
}
