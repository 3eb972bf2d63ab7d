package io.lockstep.gpu.simt;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.DType;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelOptions;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a rank's kernels do when a peer disagrees, never comes, or the host ends the wait. */
class FailuresOnTheHostTest {
    private static final int RANKS = 4;
    private static final KernelOptions OPTIONS = new KernelOptions(RANKS, DType.BF16, 264, true, true);
    private static final int GOOD_CALLS = 3;
    private static final int ODD_RANK = 2;

    /** More than the deadlines that a program is given: calls that waited one by one would not end in time. */
    private static final int QUEUED_CALLS = 12;

    private static final long DEADLINE = 5_000_000;

    /** The clock is looked at every 1024 polls, and a wave misses a turn now and then. */
    private static final long LOOKS = 500_000;

    /** The abort word is looked at every 16384 polls. */
    private static final long FAR_LOOKS = 2_500_000;

    private static final byte UNTOUCHED = (byte) 0xC3;

    // The codes of frame.h.
    private static final int ABORTED = 1;
    private static final int NO_WORDS = 2;
    private static final int NO_HEADER = 3;
    private static final int NO_FLAG = 5;
    private static final int OTHER_CALL = 6;

    @BeforeAll
    static void requireCompiler() {
        HostBuild.requireCompiler();
    }

    @ParameterizedTest
    @EnumSource
    void aCallWithOtherTokensIsNamedOnAllRanksAndNothingOfItIsStored(Exchange exchange) throws Exception {
        Layers layers = new Layers(OPTIONS, exchange.code());
        List<Call> calls = goodCalls(layers, exchange);
        List<Integer> tokens = new ArrayList<>(Collections.nCopies(RANKS, 3));
        tokens.set(ODD_RANK, 7);
        calls.add(layers.plain(exchange, tokens));
        calls.addAll(queuedCalls(layers, exchange));
        KernelJob.Result result = job(calls, Long.MAX_VALUE).run();

        assertThat(result.output()).isEqualTo(new HostBuild.Output(0, ""));
        for (int rank = 0; rank < RANKS; rank++) {
            KernelJob.RankResult ended = result.ranks().get(rank);
            assertThat(ended.what()).as("what, on rank " + rank).isEqualTo(OTHER_CALL);
            assertThat(ended.epoch()).as("epoch, on rank " + rank).isEqualTo(GOOD_CALLS + 1);
            assertThat(ended.expected()).isEqualTo((rank == ODD_RANK ? 7 : 3) << 3 | exchange.code());
            assertThat(ended.found()).isEqualTo((rank == ODD_RANK ? 3 : 7) << 3 | exchange.code());
            if (rank != ODD_RANK) {
                assertThat(ended.peer()).isEqualTo(ODD_RANK);
            }
            assertThat(ended.failed()).isEqualTo(1);
        }
        goodCallsAreRight(layers, calls, result, RANKS);
        nothingIsStored(result, GOOD_CALLS);
    }

    @ParameterizedTest
    @EnumSource
    void aRankThatNeverComesIsReportedWithinTheDeadlineAndQueuedCallsDrain(Exchange exchange) throws Exception {
        Layers layers = new Layers(OPTIONS, exchange.code());
        List<Call> calls = goodCalls(layers, exchange);
        calls.addAll(absent(queuedCalls(layers, exchange), layers));
        KernelJob.Result result = job(calls, Long.MAX_VALUE).run();

        assertThat(result.output()).isEqualTo(new HostBuild.Output(0, ""));
        List<KernelJob.RankResult> waited = present(result);
        assertThat(waited).allSatisfy(ended -> {
            assertThat(ended.what()).isIn(NO_WORDS, NO_HEADER, NO_FLAG);
            assertThat(ended.epoch()).isEqualTo(GOOD_CALLS + 1);
            // The deadline is that of one wait, and a two-shot has two in a row.
            int waits = exchange.twoShot() ? 2 : 1;
            assertThat(ended.nanos()).isBetween(DEADLINE, waits * (DEADLINE + 2 * LOOKS));
            assertThat(ended.failed()).isEqualTo(1);
        });
        // In a two-shot a rank may as well miss the sums of one that itself waits.
        assertThat(waited).anySatisfy(ended -> assertThat(ended.peer()).isEqualTo(ODD_RANK));
        if (!exchange.twoShot()) {
            assertThat(waited).allSatisfy(ended -> assertThat(ended.peer()).isEqualTo(ODD_RANK));
        }
        goodCallsAreRight(layers, calls, result, ODD_RANK);
        nothingIsStored(result, GOOD_CALLS);
    }

    @ParameterizedTest
    @EnumSource
    void theHostEndsAWaitLongBeforeTheDeadline(Exchange exchange) throws Exception {
        Layers layers = new Layers(OPTIONS, exchange.code());
        List<Call> calls = absent(queuedCalls(layers, exchange), layers);
        long aborted = 100_000;
        KernelJob.Result result = job(calls, aborted).run();

        assertThat(result.output()).isEqualTo(new HostBuild.Output(0, ""));
        assertThat(result.ranks().getFirst().what()).isEqualTo(ABORTED);
        assertThat(result.ranks().getFirst().nanos()).isBetween(aborted, aborted + FAR_LOOKS);
        nothingIsStored(result, 0);
    }

    private static KernelJob job(List<Call> calls, long abortAt) {
        return new KernelJob(HostBuild.of(OPTIONS, 32), calls, 2, 1, 20, false, DEADLINE, abortAt, 0);
    }

    private static List<Call> goodCalls(Layers layers, Exchange exchange) {
        return Stream.generate(() -> layers.plain(exchange, Collections.nCopies(RANKS, 5)))
                .limit(GOOD_CALLS)
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private static List<Call> queuedCalls(Layers layers, Exchange exchange) {
        return Stream.generate(() -> layers.plain(exchange, Collections.nCopies(RANKS, 3)))
                .limit(QUEUED_CALLS)
                .toList();
    }

    /** The same calls without one rank. */
    private static List<Call> absent(List<Call> calls, Layers layers) {
        return calls.stream()
                .map(call -> {
                    List<Integer> tokens = new ArrayList<>(call.tokens());
                    tokens.set(ODD_RANK, 0);
                    return layers.plain(call.exchange(), tokens);
                })
                .toList();
    }

    private static List<KernelJob.RankResult> present(KernelJob.Result result) {
        List<KernelJob.RankResult> present = new ArrayList<>(result.ranks());
        present.remove(ODD_RANK);
        return present;
    }

    private static void goodCallsAreRight(Layers layers, List<Call> calls, KernelJob.Result result, int without) {
        for (int call = 0; call < GOOD_CALLS; call++) {
            KernelJob.Outputs expected = layers.expected(calls.get(call));
            for (int rank = 0; rank < RANKS; rank++) {
                KernelJob.Outputs found = result.ranks().get(rank).calls().get(call);
                if (rank != without) {
                    assertThat(expected.out().mismatch(found.out())).isEqualTo(-1);
                    assertThat(expected.residualOut().mismatch(found.residualOut()))
                            .isEqualTo(-1);
                    assertThat(expected.reduced().mismatch(found.reduced())).isEqualTo(-1);
                }
            }
        }
    }

    private static void nothingIsStored(KernelJob.Result result, int from) {
        for (KernelJob.RankResult rank : result.ranks()) {
            for (KernelJob.Outputs call : rank.calls()
                    .subList(Math.min(from, rank.calls().size()), rank.calls().size())) {
                assertThat(call.keptToItself()).isTrue();
                for (MemorySegment output : List.of(call.reduced(), call.residualOut(), call.out())) {
                    assertThat(output.toArray(ValueLayout.JAVA_BYTE)).containsOnly(UNTOUCHED);
                }
            }
        }
    }
}
