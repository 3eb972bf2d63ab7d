package io.lockstep.gpu.simt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lockstep.core.DType;
import io.lockstep.core.UsageException;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import io.lockstep.gpu.kernel.ProtocolText;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The kernels under ThreadSanitizer, which judges by what happens before what and not by luck: each lane is a fiber
 * with a clock of its own. An acquire of the device's scope orders nothing here, since every flag is a peer's.
 */
class RacesOnTheHostTest {
    private static final int RACES = 66;
    private static final String BARRIER = "    ls_syncthreads();\n";
    private static final String RAISED =
            "    if (call.bad) {\n        ls_raise(&shared.verdict.bad);\n    }\n#if LS_NORM\n";
    private static final String READ = "    LsVerdict verdict = shared.verdict;\n";

    @BeforeAll
    static void requireThreadSanitizer() throws Exception {
        HostBuild.requireCompiler();
        assumeTrue(
                HostBuild.hasThreadSanitizer(),
                "g++ has no ThreadSanitizer here (libtsan is missing): races are not looked for.");
    }

    @TestFactory
    Stream<DynamicTest> theDefaultProtocolsHaveNoRace() {
        SideBySide cases = new SideBySide();
        for (KernelOptions options : List.of(
                new KernelOptions(2, DType.BF16, 264, true, true),
                new KernelOptions(3, DType.FP32, 7, true, true),
                new KernelOptions(4, DType.FP16, 8, true, true))) {
            cases.add(options.toString(), () -> hasNoRace(options));
        }
        return cases.tests();
    }

    private static void hasNoRace(KernelOptions options) throws Exception {
        int ranks = options.ranks();
        Layers layers = new Layers(options, ranks);
        List<Call> calls = new ArrayList<>();
        for (int tokens : List.of(1, 5, 3, 4)) {
            for (Exchange exchange : Exchange.values()) {
                calls.add(layers.any(exchange, tokens));
            }
        }
        Collections.shuffle(calls, new Random(ranks));
        KernelJob job = new KernelJob(HostBuild.of(options, 32).withThreadSanitizer(), calls, 2, ranks, 40);
        assertThat(Comparison.firstWrong(job, job.run(), layers)).isEmpty();
    }

    @TestFactory
    Stream<DynamicTest> aHistoricalProtocolIsReported() {
        SideBySide cases = new SideBySide();
        Protocols.historical().stream()
                .filter(protocol -> !protocol.name().equals("one-buffer"))
                .forEach(protocol -> cases.add(protocol.name(), () -> isReported(protocol)));
        return cases.tests();
    }

    private static void isReported(Protocol protocol) throws Exception {
        KernelOptions options = new KernelOptions(3, DType.BF16, 8, true, true);
        HostBuild build = new HostBuild(options, 32, KernelSource.text(ProtocolText.render(protocol)), true);
        Exchange exchange = ProtocolText.exchange(protocol);
        Layers layers = new Layers(options, 1);
        List<Call> calls = Stream.generate(() -> layers.plain(exchange, Collections.nCopies(3, 4)))
                .limit(6)
                .toList();
        KernelJob.Result result = new KernelJob(build, calls, 2, 1, 40).run();
        assertThat(result.output().status()).as(result.output().text()).isEqualTo(RACES);
        assertThat(result.output().text())
                .contains("WARNING: ThreadSanitizer: data race")
                // Rows that pull puts and takes, and nothing of the shim.
                .containsPattern("#0 ls_(put|take) ");
    }

    /** The two barriers of a row, between which one warp reads what all have written. */
    enum RowBarrier {
        BEFORE_THE_SCALE(BARRIER + RAISED, RAISED),
        BEHIND_THE_SCALE(BARRIER + READ, READ);

        private final String text;
        private final String without;

        RowBarrier(String text, String without) {
            this.text = text;
            this.without = without;
        }
    }

    @TestFactory
    Stream<DynamicTest> aRowThatLacksOneOfItsBarriersIsReported() {
        SideBySide cases = new SideBySide();
        for (RowBarrier barrier : RowBarrier.values()) {
            for (Exchange exchange : Exchange.values()) {
                cases.add(barrier + " " + exchange, () -> isReported(barrier, exchange));
            }
        }
        return cases.tests();
    }

    private static void isReported(RowBarrier barrier, Exchange exchange) throws Exception {
        KernelOptions options = new KernelOptions(2, DType.BF16, 264, true, true);
        HostBuild build = HostBuild.of(options, 32).with(barrier.text, barrier.without);
        Layers layers = new Layers(options, 1);
        List<Call> calls = List.of(layers.plain(exchange, Collections.nCopies(2, 9)));
        KernelJob.Result result = new KernelJob(build.withThreadSanitizer(), calls, 2, 1, 40).run();
        assertThat(result.output().status()).as(result.output().text()).isEqualTo(RACES);
        assertThat(result.output().text())
                .contains("WARNING: ThreadSanitizer: data race")
                // The partials and the verdict, and nothing of the shim.
                .containsPattern("#0 (bool )?ls_(finish|sum_partials|tree|raise)");
    }

    /** It pushes behind a barrier into one buffer, which no kernel does. */
    @Test
    void oneBufferIsNoProtocolOfTheKernels() {
        assertThatThrownBy(() -> ProtocolText.render(Protocols.oneBuffer()))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("one-buffer");
    }
}
