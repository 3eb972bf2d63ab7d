package io.lockstep.gpu.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.core.DType;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.gpu.Tools;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import io.lockstep.gpu.kernel.ProtocolText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What nvcc makes of the kernels is right; what it makes of wrong protocols, and right text that is damaged, is not.
 */
class PtxInspectionTest {
    private static final KernelOptions OPTIONS = new KernelOptions(4, DType.BF16, 2880, true, true);

    /** What compiles fastest. */
    private static final KernelOptions SMALL = new KernelOptions(2, DType.FP32, 37, false, false);

    private static final Map<String, String> RIGHT = new ConcurrentHashMap<>();

    @BeforeAll
    static void requireCompiler() {
        assumeThat(Tools.find("nvcc"))
                .as("nvcc, the compiler of CUDA's toolkit")
                .isPresent();
    }

    @ParameterizedTest
    @CsvSource({"sm_80, 86", "sm_90, 86", "sm_90, 80", "sm_100, 86", "sm_120, 86"})
    void theKernelsDoWhatTheirProtocolsAsk(String architecture, int version) throws Exception {
        assertThat(PtxInspection.listing(compiled(KernelSource.text(), architecture, version, OPTIONS)))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "relaxed, RELEASE ACQUIRE POLL",
        "device-acquire, ACQUIRE POLL",
        "acquire-after-barrier, ACQUIRE",
        "release-only, ACQUIRE",
        "acquire-only, RELEASE",
        "relaxed-start, RELEASE ACQUIRE POLL",
        "no-end-barrier, MISSING_STEP",
        "relaxed-end-barrier, RELEASE ACQUIRE"
    })
    void aHistoricalProtocolBreaksTheseRulesByName(String name, String rules) throws Exception {
        Protocol protocol = Protocols.named(name).orElseThrow();
        String text = compiled(KernelSource.text(ProtocolText.render(protocol)), "sm_90", 86, SMALL);
        List<IsaFinding> findings = PtxInspection.listing(text);
        assertThat(findings)
                .extracting(IsaFinding::rule)
                .containsOnly(
                        Arrays.stream(rules.split(" ")).map(PtxRule::valueOf).toArray(PtxRule[]::new));
        // A start barrier is that of both kernels that pull.
        assertThat(findings).extracting(IsaFinding::kernel).allMatch(kernel -> kernel.endsWith("_pull_any"));
    }

    @Test
    void everyHistoricalProtocolOfTheKernelsIsAmongThem() {
        assertThat(Protocols.historical())
                .extracting(Protocol::name)
                .containsExactlyInAnyOrder(
                        "relaxed",
                        "device-acquire",
                        "acquire-after-barrier",
                        "release-only",
                        "acquire-only",
                        "relaxed-start",
                        "no-end-barrier",
                        "relaxed-end-barrier",
                        // Of no kernel.
                        "one-buffer");
    }

    /**
     * One change of the right text, at the first place in a kernel, or at the last before or the first behind a mark.
     */
    enum Damaged {
        NO_RELEASE("ls_two_shot_pull", "store.MIDDLE", true, "fence.release.sys", "", PtxRule.RELEASE),
        A_RELEASE_TO_THE_DEVICE(
                "ls_two_shot_pull", "store.START", true, "fence.release.sys", "fence.release.gpu", PtxRule.RELEASE),
        REARMING_IS_NOT_RELEASED("ls_one_shot_push", "store.REARMED", true, "fence.release.sys", "", PtxRule.RELEASE),
        NO_ACQUIRE("ls_one_shot_pull", "await.END", false, "fence.acquire.sys", "", PtxRule.ACQUIRE),
        AN_ACQUIRE_FROM_THE_DEVICE(
                "ls_two_shot_pull", "await.START", false, "fence.acquire.sys", "fence.acquire.gpu", PtxRule.ACQUIRE),
        REARMING_IS_NOT_ACQUIRED("ls_two_shot_push", "await.REARMED", false, "fence.acquire.sys", "", PtxRule.ACQUIRE),
        NO_BARRIER_BEFORE("ls_two_shot_pull", "store.MIDDLE", true, "bar.sync \t0", "", PtxRule.BARRIER_BEFORE_FLAG),
        NO_BARRIER_AFTER("ls_one_shot_pull", "await.START", false, "bar.sync \t0", "", PtxRule.BARRIER_AFTER_POLL),
        A_FLAG_OF_THE_DEVICE(
                "ls_one_shot_pull",
                "store.END",
                false,
                "st.relaxed.sys.global.u32",
                "st.relaxed.gpu.global.u32",
                PtxRule.FLAG_STORE),
        A_WEAK_FLAG(
                "ls_one_shot_push",
                "store.REARMED",
                false,
                "st.relaxed.sys.global.u32",
                "st.global.u32",
                PtxRule.FLAG_STORE),
        A_WEAK_POLL(
                "ls_two_shot_push", "await.REARMED", false, "ld.relaxed.sys.global.u32", "ld.global.u32", PtxRule.POLL),
        A_WEAK_WORD("ls_one_shot_push", "", false, "st.relaxed.sys.global.v4.u32", "st.global.v4.u32", PtxRule.WORDS),
        A_WORD_OF_THE_DEVICE(
                "ls_two_shot_push",
                "",
                false,
                "ld.relaxed.sys.global.v4.u32",
                "ld.relaxed.gpu.global.v4.u32",
                PtxRule.WORDS),
        A_WORD_FROM_A_CACHE(
                "ls_one_shot_push",
                "",
                false,
                "ld.relaxed.sys.global.v4.u32",
                "ld.global.nc.v4.u32",
                PtxRule.NON_COHERENT),
        A_PEERS_ROW_FROM_A_CACHE(
                "ls_one_shot_pull",
                "await.START",
                false,
                "ld.global.v4.u32",
                "ld.global.nc.v4.u32",
                PtxRule.NON_COHERENT);

        private final String kernel;
        private final String mark;
        private final boolean before;
        private final String text;
        private final String other;
        private final PtxRule rule;

        Damaged(String kernel, String mark, boolean before, String text, String other, PtxRule rule) {
            this.kernel = kernel;
            this.mark = mark;
            this.before = before;
            this.text = text;
            this.other = other;
            this.rule = rule;
        }
    }

    @ParameterizedTest
    @EnumSource
    void damageIsFoundByTheNameOfItsRule(Damaged damaged) throws Exception {
        String right = compiled(KernelSource.text(), "sm_90", 86, OPTIONS);
        int from = right.indexOf(".entry " + damaged.kernel + "(");
        assertThat(from).isPositive();
        int mark = damaged.mark.isEmpty() ? from : right.indexOf("// ls_mark." + damaged.mark, from);
        assertThat(mark).isPositive();
        // Rows of peers: behind the barrier are loads of the weight too, which are no peer's.
        int at = damaged.before ? right.lastIndexOf(damaged.text, mark) : right.indexOf(damaged.text, mark);
        List<IsaFinding> findings = new ArrayList<>();
        while (at > from && findings.isEmpty()) {
            String wrong = right.substring(0, at) + damaged.other + right.substring(at + damaged.text.length());
            findings.addAll(PtxInspection.listing(wrong));
            at = damaged.rule == PtxRule.NON_COHERENT ? right.indexOf(damaged.text, at + 1) : -1;
        }
        assertThat(findings).extracting(IsaFinding::rule).contains(damaged.rule);
        assertThat(findings).extracting(IsaFinding::kernel).containsOnly(damaged.kernel);
    }

    @Test
    void textWithoutAKernelMissesIt() throws Exception {
        String right = compiled(KernelSource.text(), "sm_90", 86, SMALL);
        Matcher entry = Pattern.compile("ls_two_shot_pull_any").matcher(right);
        assertThat(PtxInspection.listing(entry.replaceAll("another")))
                .singleElement()
                .hasToString("ls_two_shot_pull_any: missing-step: the text does not have this kernel.");
    }

    private static String compiled(String source, String architecture, int version, KernelOptions options)
            throws IOException, InterruptedException {
        String key = architecture + version + options + source.hashCode();
        String known = RIGHT.get(key);
        if (known != null) {
            return known;
        }
        Path folder = Files.createTempDirectory("ptx");
        Path text = Files.writeString(folder.resolve("kernels.cu"), source);
        Path ptx = folder.resolve("kernels.ptx");
        List<String> command = new ArrayList<>(List.of(
                Tools.find("nvcc").orElseThrow().toString(),
                "-arch=" + architecture,
                "-std=c++17",
                "--fmad=false",
                "-DLS_PTX=" + version));
        options.defines(1).forEach(define -> command.add("-D" + define));
        command.addAll(List.of("-ptx", "-o", ptx.toString(), text.toString()));
        Tools.run(command);
        String compiled = Files.readString(ptx);
        Files.delete(text);
        Files.delete(ptx);
        Files.delete(folder);
        RIGHT.put(key, compiled);
        return compiled;
    }
}
