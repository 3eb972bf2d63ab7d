package io.lockstep.gpu.simt;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.DType;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Kernels with one fault each: the comparison with the reference, the deadlines and the shim itself must see it. */
class PlantedKernelFaultsTest {
    private static final KernelOptions OPTIONS = new KernelOptions(4, DType.BF16, 264, true, true);
    private static final String REARMED_STEPS = "        LS_REARMED_STEPS\n";
    private static final String PUBLISHED =
            "    LS_POLLERS(ls_fence_release_sys();) \\\n    LS_POLLERS(LS_STORE_FLAG(relaxed_sys, REARMED, call.epoch - 1))";

    private static final String BEFORE_THE_SCALE =
            "    ls_syncthreads();\n    if (call.bad) {\n        ls_raise(&shared.verdict.bad);\n    }\n#if LS_NORM\n";

    enum Fault {
        ANOTHER_ORDER_OF_RANKS(
                "ls_add(sum, ls_take(call, ls_staged(a, rank, row), h), rank == 0);",
                "ls_add(sum, ls_take(call, ls_staged(a, (rank + 1) % LS_RANKS, row), h), rank == 0);",
                "is 0x"),
        A_RANK_IS_LEFT_OUT("ls_add(sum, next, rank == 0);", "ls_add(sum, next, rank <= 1);", "is 0x"),
        ANOTHER_LANE("return 2 * (t & 7) + (t >> 3 & 1);", "return (t & 7) + 8 * (t >> 3 & 1);", "is 0x"),
        THE_RESERVED_WORD_IS_SENT("ls_smaller(p.w[i], LS_RESERVED - 1)", "p.w[i]", "gave up: what 2"),
        NOTHING_IS_REARMED("ls_store_words_relaxed_sys(area + (u64)(words + pack) * 16, reserved);", "", "is 0x"),
        REARMED_OVER_THE_TOKENS_OF_THIS_CALL("i < call.last_tokens * LS_RANKS;", "i < a.tokens * LS_RANKS;", "is 0x"),
        TWO_COPIES("#define LS_COPIES 4", "#define LS_COPIES 2", "gave up: what"),
        THE_START_BARRIER_IS_LEFT_OUT("{ LS_START_STEPS }", "{ }", "is 0x"),
        A_ROW_IS_STORED_PAST_ITS_END(
                "if (pack * LS_PACK_ELEMENTS + i < LS_HIDDEN) {\n#if LS_ELEMENT_BYTES == 2\n                ((u16",
                "if (true) {\n#if LS_ELEMENT_BYTES == 2\n                ((u16",
                "was written"),
        THE_EPOCH_STANDS_STILL("a.state->epoch = call.epoch;", "", "gave up"),
        A_WAIT_WITHOUT_A_DEADLINE("ls_smaller(p.w[i], LS_RESERVED - 1)", "p.w[i]", "have not ended after"),
        A_WAVE_OF_TWO_MINDS(
                "    ls_meet(!call.holds_rows);\n",
                "    if (call.holds_rows) {\n ls_meet(false);\n } else {\n ls_meet(true);\n }\n",
                "in two ways"),
        A_LANE_LEAVES_ITS_NEIGHBOURS(
                "    float folded = ls_fold_squares",
                "    if (ls_thread() == 5) {\n return false;\n }\n float folded = ls_fold_squares",
                "that its neighbours never join"),
        A_WARP_LEAVES_BEFORE_THE_OTHERS(
                BEFORE_THE_SCALE,
                "    if (ls_thread() < 32) {\n return false;\n }\n" + BEFORE_THE_SCALE,
                "a barrier that others never reach");

        private final String text;
        private final String other;
        private final String sentence;

        Fault(String text, String other, String sentence) {
            this.text = text;
            this.other = other;
            this.sentence = sentence;
        }
    }

    @BeforeAll
    static void requireCompiler() {
        HostBuild.requireCompiler();
    }

    @TestFactory
    Stream<DynamicTest> theFaultIsSeen() {
        SideBySide cases = new SideBySide();
        for (Fault fault : Fault.values()) {
            cases.add(fault.toString(), () -> isSeen(fault));
        }
        return cases.tests();
    }

    private static void isSeen(Fault fault) throws Exception {
        KernelOptions options = switch (fault) {
            // A difference in the last bit of a sum shows where it is not rounded away.
            case ANOTHER_LANE -> new KernelOptions(4, DType.FP32, 264, true, true);
            // Rows that are no whole packs.
            case A_ROW_IS_STORED_PAST_ITS_END -> new KernelOptions(4, DType.BF16, 265, true, true);
            // One warp of rows shares a wave of 64 with the spare warp.
            case A_WAVE_OF_TWO_MINDS -> new KernelOptions(4, DType.BF16, 8, true, true);
            default -> OPTIONS;
        };
        int wave = fault == Fault.A_WAVE_OF_TWO_MINDS ? 64 : 32;
        HostBuild build = HostBuild.of(options, wave).with(fault.text, fault.other);
        if (fault == Fault.A_WAIT_WITHOUT_A_DEADLINE) {
            build = build.with("aborted || now - since > a.deadline", "aborted");
        }
        Layers layers = new Layers(options, 1);
        KernelJob job = new KernelJob(build, calls(layers, 1), 2, 1, 40, false, 3_000_000, KernelJob.Host.QUIET);
        assertThat(Comparison.firstWrong(job, job.run(), layers))
                .hasValueSatisfying(wrong -> assertThat(wrong).contains(fault.sentence));
    }

    /** Re-armed words may lie in the rank's own device until a fence: a peer's word of a later call comes first. */
    @Test
    void lateRearmingLosesNoWordBecauseItIsPublished() throws Exception {
        for (int seed = 1; seed <= 3; seed++) {
            assertThat(withLateStores(HostBuild.of(OPTIONS, 32), seed))
                    .as("seed " + seed)
                    .isEqualTo("right");
        }
    }

    /**
     * Without the fence, or without the whole step, late re-arming loses words. Leaving out the await alone shows
     * nothing here, and cannot on any machine where a fence has moved a store for good: that a peer's call e-1 was
     * awaited, by its header, says that its call e-2 has ended, and the fence in that one has moved what call e-3
     * re-armed. The memory models promise less, since the header is relaxed; litmus judges that.
     */
    @Test
    void lateRearmingLosesWordsWhenItIsNotPublished() throws Exception {
        HostBuild build = HostBuild.of(OPTIONS, 32);
        assertThat(seeds().mapToObj(seed -> withLateStoresUnchecked(build.with(REARMED_STEPS, ""), seed)))
                .as("without the step")
                .anySatisfy(wrong -> assertThat(wrong).contains("gave up: what 2"));
        HostBuild unfenced = build.with(PUBLISHED, PUBLISHED.substring(PUBLISHED.indexOf('\n') + 1));
        assertThat(seeds().mapToObj(seed -> withLateStoresUnchecked(unfenced, seed)))
                .as("without the fence")
                .anySatisfy(wrong -> assertThat(wrong).contains("gave up: what 2"));
    }

    private static IntStream seeds() {
        return IntStream.rangeClosed(1, 3);
    }

    private static String withLateStoresUnchecked(HostBuild build, int seed) {
        try {
            return withLateStores(build, seed);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static String withLateStores(HostBuild build, int seed) throws Exception {
        Layers layers = new Layers(OPTIONS, seed);
        KernelJob job = new KernelJob(build, calls(layers, seed), 2, seed, 40).withLateStores();
        return Comparison.firstWrong(job, job.run(), layers).orElse("right");
    }

    private static List<Call> calls(Layers layers, long seed) {
        List<Call> calls = new ArrayList<>();
        for (int tokens : List.of(1, 9, 3, 2, 5)) {
            for (Exchange exchange : Exchange.values()) {
                calls.add(layers.any(exchange, tokens));
            }
        }
        Collections.shuffle(calls, new Random(seed));
        // Long calls whose words a short one has to re-arm, before the copy's next turn.
        for (Exchange exchange : List.of(Exchange.ONE_SHOT_PUSH, Exchange.TWO_SHOT_PUSH)) {
            for (int tokens : List.of(9, 1, 1, 1, 9, 1, 9, 9)) {
                calls.add(layers.any(exchange, tokens));
            }
        }
        return calls;
    }
}
