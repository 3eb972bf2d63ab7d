package io.lockstep.gpu.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.DType;
import io.lockstep.core.UsageException;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.gpu.hip.HipCompiler;
import io.lockstep.gpu.hip.Needs;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import io.lockstep.gpu.kernel.ProtocolText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AmdgcnInspectionTest {
    private static final int ARGUMENT_BYTES = 184;
    private static final String KERNEL = "ls_two_shot_pull_any";
    private static final String WAITS =
            "s_waitcnt|s_waitcnt_vscnt|s_wait_storecnt|s_wait_loadcnt|s_wait_storecnt_dscnt" + "|s_wait_loadcnt_dscnt";
    private static final String WRITE_BACKS = "buffer_wbl2|global_wb";
    private static final String INVALIDATIONS = "buffer_inv|global_inv scope:SCOPE_SYS|buffer_invl2|buffer_gl1_inv";
    private static final String BARRIERS = "s_barrier|s_barrier_wait";
    private static final String STORES = "global_store_dword|global_store_b32";
    private static final String LOADS = "global_load_dword|global_load_b32";

    /** What each historical protocol must be found for, where its barrier is. */
    private static final Map<String, Set<AmdgcnRule>> EXPECTED = Map.of(
            "relaxed", EnumSet.of(AmdgcnRule.WRITE_BACK, AmdgcnRule.INVALIDATE),
            "device-acquire", EnumSet.of(AmdgcnRule.INVALIDATE_SCOPE),
            "acquire-after-barrier", EnumSet.of(AmdgcnRule.INVALIDATE),
            "release-only", EnumSet.of(AmdgcnRule.INVALIDATE),
            "acquire-only", EnumSet.of(AmdgcnRule.WRITE_BACK),
            "relaxed-start", EnumSet.of(AmdgcnRule.WRITE_BACK, AmdgcnRule.INVALIDATE),
            "no-end-barrier", EnumSet.of(AmdgcnRule.MISSING_STEP),
            "relaxed-end-barrier", EnumSet.of(AmdgcnRule.WRITE_BACK, AmdgcnRule.INVALIDATE));

    private static Set<AmdgcnRule> rules(AmdgcnArch arch, String listing) {
        return AmdgcnInspection.listing(arch, listing).stream()
                .map(finding -> (AmdgcnRule) finding.rule())
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(AmdgcnRule.class)));
    }

    private static boolean writesBack(AmdgcnArch arch) {
        return arch != AmdgcnArch.GFX1100;
    }

    @ParameterizedTest
    @EnumSource
    void whatTheCompilerMakesOfTheKernelsIsRight(AmdgcnArch arch) {
        KernelOptions options = new KernelOptions(4, DType.BF16, 2880, true, true);
        byte[] code = Needs.clang().compile(KernelSource.text(), HipCompiler.options(arch, options.defines(0)));
        assertThat(AmdgcnInspection.listing(arch, Needs.disassembler().listing(code)))
                .isEmpty();
        CodeObject object = CodeObject.read(code);
        assertThat(object.architecture()).isEqualTo(arch.label());
        assertThat(AmdgcnInspection.codeObject(arch, object, options.threads(), ARGUMENT_BYTES))
                .isEmpty();
        assertThat(AmdgcnInspection.listing(arch, Listings.right(arch))).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            value = AmdgcnArch.class,
            names = {"GFX942", "GFX1250"})
    void soItIsForEveryTypeAndPart(AmdgcnArch arch) {
        List<KernelOptions> shapes = List.of(
                new KernelOptions(8, DType.FP32, 2880, true, true),
                new KernelOptions(3, DType.FP16, 7168, false, true),
                new KernelOptions(5, DType.BF16, 2040, false, false));
        for (KernelOptions options : shapes) {
            byte[] code = Needs.clang().compile(KernelSource.text(), HipCompiler.options(arch, options.defines(0)));
            assertThat(AmdgcnInspection.listing(arch, Needs.disassembler().listing(code)))
                    .as(options.toString())
                    .isEmpty();
            assertThat(AmdgcnInspection.codeObject(arch, CodeObject.read(code), options.threads(), ARGUMENT_BYTES))
                    .as(options.toString())
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyHistoricalProtocolIsFound(AmdgcnArch arch) {
        for (Protocol protocol : Protocols.historical()) {
            Set<AmdgcnRule> expected = EXPECTED.get(protocol.name());
            if (expected == null) {
                // How many copies of a buffer take turns is no matter of compiled code.
                assertThat(protocol.name()).isEqualTo("one-buffer");
                continue;
            }
            String listing = Listings.of(arch, KernelSource.text(ProtocolText.render(protocol)), Listings.SMALL);
            if (writesBack(arch)) {
                assertThat(rules(arch, listing)).as(protocol.name()).containsAll(expected);
            } else {
                // It has one scope of acquire, and a release is a wait alone.
                assertThat(rules(arch, listing)).as(protocol.name()).isNotEmpty();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aReleaseThatLacksAPartIsFound(AmdgcnArch arch) {
        String right = Listings.right(arch);
        if (writesBack(arch)) {
            assertThat(rules(
                            arch,
                            near(right, "store.START")
                                    .withoutBefore(WRITE_BACKS)
                                    .text()))
                    .containsExactly(AmdgcnRule.WRITE_BACK);
            assertThat(rules(
                            arch,
                            near(right, "store.START")
                                    .withoutAllSince(WRITE_BACKS, WAITS)
                                    .text()))
                    .contains(AmdgcnRule.WRITE_BACK_WAIT);
            if (arch != AmdgcnArch.GFX90A) {
                assertThat(rules(
                                arch,
                                near(right, "store.START")
                                        .narrowed(WRITE_BACKS, true)
                                        .text()))
                        .containsExactly(AmdgcnRule.WRITE_BACK_SCOPE);
                assertThat(rules(
                                arch,
                                near(right, "store.START")
                                        .narrowed(STORES, false)
                                        .text()))
                        .containsExactly(AmdgcnRule.FLAG_STORE);
            }
        } else {
            assertThat(rules(
                            arch,
                            near(right, "store.START")
                                    .withoutAllSince(BARRIERS, WAITS)
                                    .text()))
                    .containsExactly(AmdgcnRule.WRITE_BACK_WAIT);
        }
        assertThat(rules(
                        arch,
                        near(right, "store.START")
                                .withoutAllAhead(BARRIERS, WAITS, 12)
                                .text()))
                .contains(AmdgcnRule.DRAIN);
        assertThat(rules(
                        arch, near(right, "store.START").withoutBefore(BARRIERS).text()))
                .contains(AmdgcnRule.BARRIER_BEFORE_FLAG);
    }

    @ParameterizedTest
    @EnumSource
    void anAcquireThatLacksAPartIsFound(AmdgcnArch arch) {
        String right = Listings.right(arch);
        assertThat(rules(arch, near(right, "await.START").narrowed(LOADS, false).text()))
                .containsExactly(AmdgcnRule.POLL);
        assertThat(rules(
                        arch, near(right, "await.MIDDLE").withoutAfter(BARRIERS).text()))
                .contains(AmdgcnRule.BARRIER_AFTER_POLL);
        Set<AmdgcnRule> lost = rules(
                arch, near(right, "await.START").withoutAfter(INVALIDATIONS).text());
        assertThat(lost).containsAnyOf(AmdgcnRule.INVALIDATE, AmdgcnRule.INVALIDATE_SCOPE);
        assertThat(rules(
                        arch,
                        near(right, "await.START")
                                .withoutAfter(BARRIERS, INVALIDATIONS)
                                .text()))
                .contains(AmdgcnRule.INVALIDATE_BY_ALL);
        if (arch != AmdgcnArch.GFX90A && arch != AmdgcnArch.GFX1100) {
            assertThat(rules(
                            arch,
                            near(right, "await.START")
                                    .narrowed("buffer_inv|global_inv", false)
                                    .text()))
                    .containsExactly(AmdgcnRule.INVALIDATE_SCOPE);
        }
    }

    private static Damage near(String listing, String mark) {
        return Damage.near(listing, KERNEL, mark);
    }

    @ParameterizedTest
    @EnumSource
    void wordsOfANarrowerScopeAreFound(AmdgcnArch arch) {
        String right = Listings.right(arch);
        String loads = "buffer_load_dwordx4|global_load_b64";
        String stores = "buffer_store_dwordx4|global_store_b64";
        assertThat(rules(
                        arch,
                        Damage.near(right, "ls_one_shot_push_any", "receive")
                                .narrowed(loads, false)
                                .text()))
                .containsExactly(AmdgcnRule.WORDS);
        if (writesBack(arch) && arch != AmdgcnArch.GFX90A) {
            assertThat(rules(
                            arch,
                            Damage.near(right, "ls_one_shot_push_any", "send")
                                    .narrowed(stores, false)
                                    .text()))
                    .containsExactly(AmdgcnRule.WORDS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatAKernelMayNotHoldIsFound(AmdgcnArch arch) {
        String right = Listings.right(arch);
        Map<String, AmdgcnRule> wrong = Map.of(
                "flat_load_dword v1, v[2:3]", AmdgcnRule.FLAT,
                "scratch_load_dword v1, off, off", AmdgcnRule.SCRATCH,
                "global_load_dwordx4 v[0:3], v[4:5], off nt", AmdgcnRule.HINT,
                "global_load_lds_dword v[0:1], off", AmdgcnRule.UNKNOWN,
                "global_frobnicate v[0:1], off", AmdgcnRule.UNKNOWN,
                "s_frobnicate s0", AmdgcnRule.UNKNOWN,
                "s_load_dwordx4 s[4:7], s[100:101], 0x0", AmdgcnRule.SCALAR_LOAD);
        wrong.forEach((instruction, rule) -> assertThat(rules(
                        arch, near(right, "store.REARMED").with(instruction).text()))
                .as(instruction)
                .contains(rule));
    }

    @Test
    void aScalarLoadThroughAPointerOfTheArgumentsIsFound() {
        // The first pointer among the arguments is the caller's input.
        String listing = Damage.near(Listings.right(AmdgcnArch.GFX942), "ls_one_shot_push_any", "send")
                .text()
                .replaceFirst(
                        "(ls_one_shot_push_any:.*\n)",
                        "$1\ts_load_dwordx2 s[90:91], s[2:3], 0x0\n\ts_load_dword s92, s[90:91], 0x0\n");
        assertThat(AmdgcnInspection.listing(AmdgcnArch.GFX942, listing))
                .extracting(IsaFinding::text)
                .singleElement()
                .asString()
                .contains("the pointer at 0 of the arguments");
    }

    @Test
    void aListingWithoutTheKernelsIsFound() {
        assertThat(AmdgcnInspection.listing(AmdgcnArch.GFX942, "nothing"))
                .hasSize(4)
                .allMatch(finding -> finding.rule() == AmdgcnRule.MISSING_STEP);
    }

    @Test
    void aCodeObjectThatIsLaunchedOtherwiseIsFound() {
        KernelOptions options = Listings.ODD;
        byte[] code =
                Needs.clang().compile(KernelSource.text(), HipCompiler.options(AmdgcnArch.GFX942, options.defines(0)));
        CodeObject object = CodeObject.read(code);
        assertThat(AmdgcnInspection.codeObject(AmdgcnArch.GFX942, object, options.threads(), ARGUMENT_BYTES))
                .isEmpty();
        assertThat(AmdgcnInspection.codeObject(AmdgcnArch.GFX1201, object, options.threads() + 32, ARGUMENT_BYTES + 8))
                .extracting(IsaFinding::rule)
                .contains(AmdgcnRule.KERNARG, AmdgcnRule.WAVE, AmdgcnRule.WORKGROUP);
    }

    @Test
    void codeThatFlushesSubnormalNumbersIsFound() {
        List<String> flushing = new ArrayList<>(HipCompiler.options(AmdgcnArch.GFX942, Listings.ODD.defines(0)));
        flushing.add("-fgpu-flush-denormals-to-zero");
        CodeObject object = CodeObject.read(Needs.clang().compile(KernelSource.text(), flushing));
        assertThat(AmdgcnInspection.codeObject(AmdgcnArch.GFX942, object, Listings.ODD.threads(), ARGUMENT_BYTES))
                .hasSameSizeAs(object.kernels())
                .allMatch(finding -> finding.rule() == AmdgcnRule.SUBNORMALS);
    }

    @Test
    void aBrokenCodeObjectIsRefusedWithASentence() {
        byte[] code = Needs.clang()
                .compile(KernelSource.text(), HipCompiler.options(AmdgcnArch.GFX942, Listings.ODD.defines(0)));
        for (int length : List.of(0, 3, 64, 100, 700, code.length / 2, code.length - 100)) {
            assertThatThrownBy(() -> CodeObject.read(Arrays.copyOf(code, length)))
                    .as("%s bytes", length)
                    .isInstanceOf(UsageException.class);
        }
        assertThatThrownBy(() -> AmdgcnArch.of("gfx000"))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("gfx942");
    }
}
