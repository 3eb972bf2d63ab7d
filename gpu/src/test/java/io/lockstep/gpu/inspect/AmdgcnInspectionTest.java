package io.lockstep.gpu.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.DType;
import io.lockstep.core.UsageException;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.gpu.hip.HipCompiler;
import io.lockstep.gpu.hip.Needs;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Most of its time is the compiler's, a process for each test. */
@Execution(ExecutionMode.CONCURRENT)
class AmdgcnInspectionTest {
    private static final int ARGUMENT_BYTES = KernelOptions.ARGUMENT_BYTES;
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
        CodeObject object = CodeObject.read(code);
        assertThat(object.architecture()).isEqualTo(arch.label());
        assertThat(AmdgcnInspection.code(object, Needs.disassembler().listing(code), options.threads()))
                .isEmpty();
        assertThat(AmdgcnInspection.listing(arch, Listings.of(arch, KernelSource.text(), Listings.ODD)))
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
            assertThat(AmdgcnInspection.code(
                            CodeObject.read(code), Needs.disassembler().listing(code), options.threads()))
                    .as(options.toString())
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyHistoricalProtocolIsFound(AmdgcnArch arch) {
        List<Protocol> protocols = Protocols.historical().stream()
                // How many copies of a buffer take turns is no matter of compiled code.
                .filter(protocol -> !protocol.name().equals("one-buffer"))
                .toList();
        assertThat(protocols).extracting(Protocol::name).containsExactlyInAnyOrderElementsOf(EXPECTED.keySet());
        Listings.of(arch, protocols, Listings.SMALL).forEach((name, listing) -> {
            if (writesBack(arch)) {
                assertThat(rules(arch, listing)).as(name).containsAll(Objects.requireNonNull(EXPECTED.get(name)));
            } else {
                // It has one scope of acquire, and a release is a wait alone.
                assertThat(rules(arch, listing)).as(name).isNotEmpty();
            }
        });
    }

    /** A flag of one kernel, and where the code that deals with it may be damaged. */
    private record Place(String listing, String kernel, String flag) {
        Damage store() {
            return Damage.near(listing, kernel, "store." + flag);
        }

        Damage await() {
            return Damage.near(listing, kernel, "await." + flag);
        }

        @Override
        public String toString() {
            return kernel + " " + flag;
        }
    }

    /** Every flag of a barrier, in every kernel that has it. */
    private static List<Place> barriers(AmdgcnArch arch) {
        String right = Listings.right(arch);
        return List.of(
                new Place(right, "ls_one_shot_pull_any", "START"),
                new Place(right, "ls_one_shot_pull_any", "END"),
                new Place(right, "ls_two_shot_pull_any", "START"),
                new Place(right, "ls_two_shot_pull_any", "MIDDLE"));
    }

    /** Those, and the flag that every kernel's block of books exchanges. */
    private static List<Place> flags(AmdgcnArch arch) {
        String right = Listings.right(arch);
        List<Place> flags = new ArrayList<>(barriers(arch));
        for (String kernel : List.of("one_shot_push", "two_shot_push", "one_shot_pull", "two_shot_pull")) {
            flags.add(new Place(right, "ls_" + kernel + "_any", "REARMED"));
        }
        return flags;
    }

    @ParameterizedTest
    @EnumSource
    void aReleaseThatLacksAPartIsFound(AmdgcnArch arch) {
        for (Place at : flags(arch)) {
            boolean scoped = arch != AmdgcnArch.GFX90A && arch != AmdgcnArch.GFX1100;
            if (writesBack(arch)) {
                assertThat(rules(arch, at.store().withoutBefore(WRITE_BACKS).text()))
                        .as("%s", at)
                        .containsExactly(AmdgcnRule.WRITE_BACK);
                assertThat(rules(
                                arch,
                                at.store().withoutAllSince(WRITE_BACKS, WAITS).text()))
                        .as("%s", at)
                        .contains(AmdgcnRule.WRITE_BACK_WAIT);
            }
            if (scoped) {
                assertThat(rules(arch, at.store().narrowed(WRITE_BACKS, true).text()))
                        .as("%s", at)
                        .containsExactly(AmdgcnRule.WRITE_BACK_SCOPE);
                assertThat(rules(arch, at.store().narrowed(STORES, false).text()))
                        .as("%s", at)
                        .containsExactly(AmdgcnRule.FLAG_STORE);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBarrierAheadOfAFlagThatLacksAPartIsFound(AmdgcnArch arch) {
        for (Place at : barriers(arch)) {
            String undrained = at.store().withoutAllAhead(BARRIERS, WAITS, 12).text();
            assertThat(rules(arch, undrained)).as("%s", at).contains(AmdgcnRule.DRAIN);
            assertThat(rules(arch, at.store().withoutBefore(BARRIERS).text()))
                    .as("%s", at)
                    .contains(AmdgcnRule.BARRIER_BEFORE_FLAG);
            assertThat(rules(
                            arch,
                            at.store()
                                    .with(BARRIERS, "global_load_dword v1, v[2:3], off")
                                    .text()))
                    .as("a load under way, %s", at)
                    .contains(AmdgcnRule.DRAIN);
        }
    }

    /** It writes nothing back: a release is a wait behind the barrier, and nothing else. */
    @Test
    void aReleaseByAWaitAloneThatIsNotThereIsFound() {
        for (Place at : barriers(AmdgcnArch.GFX1100)) {
            assertThat(rules(
                            AmdgcnArch.GFX1100,
                            at.store().withoutAllSince(BARRIERS, WAITS).text()))
                    .as("%s", at)
                    .containsExactly(AmdgcnRule.WRITE_BACK_WAIT);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPollOfANarrowerScopeIsFound(AmdgcnArch arch) {
        for (Place at : flags(arch)) {
            assertThat(rules(arch, at.await().narrowed(LOADS, false).text()))
                    .as("%s", at)
                    .containsExactly(AmdgcnRule.POLL);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPollThatIsNotWaitedForIsFound(AmdgcnArch arch) {
        for (Place at : barriers(arch)) {
            assertThat(rules(
                            arch,
                            at.await().withoutAllUntil(INVALIDATIONS, WAITS).text()))
                    .as("%s", at)
                    .contains(AmdgcnRule.POLL_WAIT);
        }
    }

    @ParameterizedTest
    @EnumSource
    void anAcquireThatLacksAPartIsFound(AmdgcnArch arch) {
        for (Place at : barriers(arch)) {
            assertThat(rules(arch, at.await().withoutAfter(INVALIDATIONS).text()))
                    .as("%s", at)
                    .containsAnyOf(AmdgcnRule.INVALIDATE, AmdgcnRule.INVALIDATE_SCOPE);
            if (arch != AmdgcnArch.GFX90A && arch != AmdgcnArch.GFX1100) {
                assertThat(rules(
                                arch,
                                at.await()
                                        .narrowed("buffer_inv|global_inv", false)
                                        .text()))
                        .as("%s", at)
                        .containsExactly(AmdgcnRule.INVALIDATE_SCOPE);
            }
            // Where another barrier follows before any load, what is missing is an invalidation behind that one.
            assertThat(rules(arch, at.await().withoutAfter(BARRIERS).text()))
                    .as("%s", at)
                    .containsAnyOf(AmdgcnRule.BARRIER_AFTER_POLL, AmdgcnRule.INVALIDATE_BY_ALL);
            assertThat(rules(
                            arch,
                            at.await()
                                    .withBehind(BARRIERS, "global_load_dword v1, v[2:3], off")
                                    .withoutAfter(BARRIERS)
                                    .text()))
                    .as("%s", at)
                    .contains(AmdgcnRule.BARRIER_AFTER_POLL);
            if (!at.flag().equals("END")) {
                assertThat(rules(
                                arch,
                                at.await().withoutAfter(BARRIERS, INVALIDATIONS).text()))
                        .as("%s", at)
                        .contains(AmdgcnRule.INVALIDATE_BY_ALL);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = AmdgcnArch.class,
            names = {"GFX90A", "GFX942", "GFX950"})
    void aWorkGroupOfOneWaveNeedsNoBarrierAndAllTheRest(AmdgcnArch arch) {
        KernelOptions options = Listings.ONE_WAVE;
        assertThat(options.threads()).isEqualTo(arch.wave());
        byte[] code = Needs.clang().compile(KernelSource.text(), HipCompiler.options(arch, options.defines(0)));
        String disassembly = Needs.disassembler().listing(code);
        assertThat(disassembly).doesNotContain("s_barrier");
        assertThat(AmdgcnInspection.code(CodeObject.read(code), disassembly, options.threads()))
                .isEmpty();
        // Of a work-group whose size is not known more is asked.
        assertThat(rules(arch, disassembly)).contains(AmdgcnRule.BARRIER_BEFORE_FLAG, AmdgcnRule.BARRIER_AFTER_POLL);

        String right = Listings.of(arch, KernelSource.text(), options);
        assertThat(rules(arch, right)).isEmpty();
        for (String flag : List.of("START", "MIDDLE")) {
            Place at = new Place(right, "ls_two_shot_pull_any", flag);
            assertThat(rules(arch, at.store().withoutBefore(WRITE_BACKS).text()))
                    .as("%s", at)
                    .containsExactly(AmdgcnRule.WRITE_BACK);
            assertThat(rules(
                            arch, at.store().withoutAllSince(WRITE_BACKS, WAITS).text()))
                    .as("%s", at)
                    .contains(AmdgcnRule.WRITE_BACK_WAIT);
            // The poller's, and that of every wave, which is the same one.
            assertThat(rules(
                            arch,
                            at.await()
                                    .withoutAfter(INVALIDATIONS)
                                    .withoutAfter(INVALIDATIONS)
                                    .text()))
                    .as("%s", at)
                    .containsAnyOf(AmdgcnRule.INVALIDATE, AmdgcnRule.INVALIDATE_SCOPE);
        }
        List<Protocol> protocols = Stream.of(
                        "relaxed", "release-only", "acquire-only", "relaxed-start", "no-end-barrier")
                .map(name -> Protocols.named(name).orElseThrow())
                .toList();
        Listings.of(arch, protocols, Listings.SMALL_ONE_WAVE)
                .forEach((name, listing) -> assertThat(rules(arch, listing))
                        .as(name)
                        .containsAll(Objects.requireNonNull(EXPECTED.get(name))));
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
                        arch,
                        Damage.near(right, "ls_two_shot_pull_any", "store.REARMED")
                                .with(instruction)
                                .text()))
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
    void aListingThatIsDamagedAtRandomIsJudgedOrRefused() {
        List<String> right = List.of(Listings.of(AmdgcnArch.GFX942, KernelSource.text(), Listings.SMALL)
                .split("\n", -1));
        for (long seed = 0; seed < 100; seed++) {
            Random random = new Random(seed);
            List<String> lines = new ArrayList<>(right);
            for (int i = 0; i < 20; i++) {
                int at = random.nextInt(lines.size());
                switch (random.nextInt(4)) {
                    case 0 -> lines.subList(at, Math.min(lines.size(), at + 50)).clear();
                    case 1 -> lines.add(at, lines.get(random.nextInt(lines.size())));
                    case 2 -> lines.set(at, lines.get(at).replaceAll("[0-9]", ":"));
                    default ->
                        lines.set(at, lines.get(at).substring(lines.get(at).length() / 2));
                }
            }
            String damaged = String.join("\n", lines);
            assertThatCode(() -> {
                        try {
                            AmdgcnInspection.listing(AmdgcnArch.GFX942, damaged);
                        } catch (UsageException refused) {
                            assertThat(refused).hasMessageContaining("listing");
                        }
                    })
                    .as("seed " + seed)
                    .doesNotThrowAnyException();
        }
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
        CodeObject empty = new CodeObject(object.target(), List.of());
        assertThat(AmdgcnInspection.codeObject(AmdgcnArch.GFX942, empty, options.threads(), ARGUMENT_BYTES))
                .hasSize(4)
                .allMatch(finding -> finding.rule() == AmdgcnRule.MISSING_STEP);
    }

    @Test
    void codeThatKeepsThingsInScratchMemoryIsFound() {
        // So few registers that the kernels do not fit into them.
        List<String> options = HipCompiler.options(AmdgcnArch.GFX942, Listings.ODD.defines(0));
        String source = KernelSource.text()
                .replace(
                        "__attribute__((amdgpu_flat_work_group_size(threads, threads)))",
                        "__attribute__((amdgpu_flat_work_group_size(threads, threads), amdgpu_num_vgpr(16)))");
        assertThat(source).isNotEqualTo(KernelSource.text());
        byte[] code = Needs.clang().compile(source, options);
        CodeObject object = CodeObject.read(code);
        assertThat(AmdgcnInspection.codeObject(AmdgcnArch.GFX942, object, Listings.ODD.threads(), ARGUMENT_BYTES))
                .extracting(IsaFinding::rule)
                .contains(AmdgcnRule.SCRATCH);
        assertThat(rules(AmdgcnArch.GFX942, Needs.disassembler().listing(code))).contains(AmdgcnRule.SCRATCH);
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
    }

    @Test
    void aCodeObjectThatIsDamagedAtRandomIsReadOrRefused() {
        byte[] code = Needs.clang()
                .compile(KernelSource.text(), HipCompiler.options(AmdgcnArch.GFX942, Listings.ODD.defines(0)));
        // What is read of it: the header, the note and the tables of symbols in front, the sections' table behind.
        int front = 6000;
        int refused = 0;
        for (long seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            byte[] damaged = code.clone();
            for (int i = random.nextInt(8); i >= 0; i--) {
                int at = random.nextBoolean() ? random.nextInt(front) : code.length - 1 - random.nextInt(front);
                damaged[at] = (byte) (random.nextBoolean() ? random.nextInt(256) : 0xFF);
            }
            try {
                CodeObject.read(damaged);
            } catch (UsageException e) {
                refused++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(refused).isPositive();
    }

    @Test
    void aNoteWithoutEndIsRefused() {
        ByteBuffer deep = ByteBuffer.allocate(10_000);
        while (deep.hasRemaining()) {
            // A list of one value, which is a list of one value.
            deep.put((byte) 0x91);
        }
        assertThatThrownBy(() -> MessagePack.read(deep.flip())).isInstanceOf(IndexOutOfBoundsException.class);
        ByteBuffer wide = ByteBuffer.wrap(new byte[] {(byte) 0xDB, 0x7F, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF});
        assertThatThrownBy(() -> MessagePack.read(wide)).isInstanceOf(IndexOutOfBoundsException.class);
    }
}
