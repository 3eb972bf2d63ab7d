package io.lockstep.gpu.collective;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DType;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.Operation;
import io.lockstep.core.PeerLostException;
import io.lockstep.core.group.LocalGroup;
import io.lockstep.core.group.Membership;
import io.lockstep.gpu.driver.HostMemory;
import io.lockstep.gpu.kernel.Exchange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a kernel leaves in its report becomes the exception that says rank, call, block and what was awaited. */
class CallFailuresTest {
    private static final Operation OPERATION = Operation.allReduceResidualRmsNorm(DType.BF16, 2880, 64);

    private final List<Membership> group = LocalGroup.create(3);
    private final CallFailures failures = new CallFailures(group.getFirst(), Duration.ofMillis(2500), "");
    private final MemorySegment memory = Arena.ofAuto().allocate(CallReport.BYTES, Long.BYTES);
    private final CallReport report = new CallReport(new HostMemory(memory, memory.address()));

    private RuntimeException failure(int what, int peer, int expected, int found) {
        memory.set(ValueLayout.JAVA_INT, CallReport.PEER, peer);
        memory.set(ValueLayout.JAVA_INT, CallReport.EPOCH, 7);
        memory.set(ValueLayout.JAVA_INT, CallReport.BLOCK, 11);
        memory.set(ValueLayout.JAVA_INT, CallReport.EXPECTED, expected);
        memory.set(ValueLayout.JAVA_INT, CallReport.FOUND, found);
        memory.set(ValueLayout.JAVA_INT, CallReport.WHAT, what);
        return failures.of(report, 4, OPERATION);
    }

    private static int fingerprint(int tokens, Exchange exchange) {
        return tokens << 3 | exchange.code();
    }

    @Test
    void anotherCallOfAPeerIsADisagreementThatShowsBoth() {
        assertThat(failure(
                        CallReport.OTHER_CALL,
                        2,
                        fingerprint(16, Exchange.ONE_SHOT_PUSH),
                        fingerprint(17, Exchange.TWO_SHOT_PUSH)))
                .isInstanceOf(DisagreementException.class)
                .hasMessage("The ranks make different calls: Rank 0 in call 7 of plan 4 (bf16, hidden 2880, block 11)"
                        + " has 16 tokens by one-shot-push, and rank 2 has 17 tokens by two-shot-push. Make the same"
                        + " calls in the same order on every rank.");
    }

    @Test
    void wordsThatNeverCameAreATimeoutThatNamesTheirSender() {
        assertThat(failure(CallReport.NO_WORDS, 1, 0, 0))
                .isInstanceOf(CollectiveTimeoutException.class)
                .hasMessageContaining("Rank 0 in call 7 of plan 4 (bf16, hidden 2880, block 11) waited 2500 ms for rows"
                        + " of rank 1");
    }

    @Test
    void everythingElseThatIsAwaitedSaysWhatWasExpectedAndFound() {
        assertThat(failure(CallReport.NO_HEADER, 1, fingerprint(5, Exchange.ONE_SHOT_PULL), 6))
                .hasMessageContaining(
                        "the header of rank 1 for 5 tokens by one-shot-pull (the last one came in its" + " call 6)");
        assertThat(failure(CallReport.NOT_REARMED, 1, 5, 3))
                .hasMessageContaining("the end of call 5 on rank 1 (the last one that ended there is 3)");
        assertThat(failure(CallReport.NO_FLAG, 2, 7, 6))
                .hasMessageContaining("the flag of rank 2 at a barrier (expected 7, found 6)");
    }

    @Test
    void aWaitForAGroupThatIsNoLongerWholeNamesWhoIsGone() {
        group.get(2).close();
        assertThat(failure(CallReport.NO_WORDS, 1, 0, 0))
                .isInstanceOf(PeerLostException.class)
                .hasMessageContaining("awaited rows of rank 1, and rank 2 closed its communicator");
    }

    @Test
    void whatTheLossOfAPeerMayHaveCostIsSaidToo() {
        assertThat(failures.loss("Rank 0: rank 2 died"))
                .hasMessage("Rank 0: rank 2 died: close the communicator and form a new group.");
        assertThat(new CallFailures(group.getFirst(), Duration.ofMillis(2500), "memory may be lost")
                        .loss("Rank 2 died"))
                .hasMessage("Rank 2 died: close the communicator and form a new group. Here memory may be lost.");
    }

    @Test
    void theWatchEndsTheKernelsThatWaitForARankThatLeft() throws Exception {
        try (PeerWatch watch = new PeerWatch(0, failures::lost)) {
            watch.add(report);
            Thread.sleep(100);
            assertThat(memory.get(ValueLayout.JAVA_INT, CallReport.ABORT)).isZero();
            assertThat(watch.loss()).isNull();

            group.get(1).close();
            long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
            while (memory.get(ValueLayout.JAVA_INT, CallReport.ABORT) == 0 && System.nanoTime() < deadline) {
                Thread.sleep(5);
            }
            assertThat(memory.get(ValueLayout.JAVA_INT, CallReport.ABORT)).isOne();
            assertThat(watch.loss()).contains("rank 1 closed");
        }
    }
}
