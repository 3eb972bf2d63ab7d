package io.lockstep.gpu.hip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.DType;
import io.lockstep.core.DriverException;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.driver.DeviceInfo;
import io.lockstep.gpu.inspect.AmdgcnArch;
import io.lockstep.gpu.inspect.CodeObject;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HipCompilerTest {
    private static final List<String> DEFINES = new KernelOptions(2, DType.FP32, 301, false, false).defines(0);
    private static final List<String> OPTIONS = HipCompiler.options(AmdgcnArch.GFX90A, DEFINES);

    /**
     * A process in the place of hipRTC's; the script finds the question in {@code $1}, its answer belongs in
     * {@code $2}.
     */
    private static HipRtcProcess process(String script) {
        return new HipRtcProcess(List.of("sh", "-c", script, "sh"), Duration.ofSeconds(20));
    }

    private static final class Fixed implements CodeObjectCompiler {
        private final byte[] code;

        Fixed(byte[] code) {
            this.code = code;
        }

        @Override
        public String identity() {
            return "a compiler of one answer";
        }

        @Override
        public byte[] compile(String source, List<String> options) {
            return code;
        }
    }

    @Test
    void aProcessThatDiesIsSaidWithHowItEndedAndItsLastWords() {
        Map<String, String> ends = Map.of(
                "kill -9 $$", "exit code 137",
                "echo munmap; kill -6 $$", "exit code 134",
                "exit 7", "exit code 7",
                "true", "exit code 0",
                ": > $2", "exit code 0",
                "printf x > $2", "exit code 0",
                "printf 'x and more' > $2", "exit code 0",
                "printf '\\001' > $2; exit 1", "exit code 1");
        ends.forEach((script, end) -> assertThatThrownBy(() -> process(script).compile("source", OPTIONS))
                .as(script)
                .isInstanceOf(DriverException.class)
                .hasMessageContainingAll("hipRTC ended its process (" + end + ") without an answer", "gfx90a"));
        assertThatThrownBy(() -> process("echo first; echo munmap; kill -6 $$").compile("source", OPTIONS))
                .hasMessageContaining("Its last words: munmap");
        assertThatThrownBy(() -> process("printf '\\001no such option' > $2").compile("source", OPTIONS))
                .isInstanceOf(DriverException.class)
                .hasMessage("no such option");
    }

    @Test
    void aProcessThatHangsIsEnded() {
        HipRtcProcess hanging = new HipRtcProcess(List.of("sh", "-c", "exec sleep 600"), Duration.ofMillis(200));
        assertThatThrownBy(() -> hanging.compile("source", OPTIONS))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("stopped after 200 ms");
    }

    @Test
    void aProcessThatCannotBeStartedIsSaid() {
        HipRtcProcess absent = new HipRtcProcess(List.of("/nonexistent/java"), Duration.ofSeconds(1));
        assertThatThrownBy(() -> absent.compile("source", OPTIONS))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("cannot be started");
    }

    @Test
    void whatACrashLeavesBehindGoesWithTheProcessesFolder() {
        assertThatThrownBy(() -> process("mkdir deep; touch core deep/hs_err_pid1.log; pwd; exit 1")
                        .compile("source", OPTIONS))
                .satisfies(thrown -> {
                    String message = String.valueOf(thrown.getMessage());
                    Path folder = Path.of(message.substring(message.lastIndexOf(": ") + 2));
                    assertThat(folder.toString()).contains("lockstep-hiprtc");
                    assertThat(folder).doesNotExist();
                });
    }

    @Test
    void clangServesWhereTheRunTimeCompilerIsNotHereDiesOrAnswersNonsense() {
        HipClang clang = Needs.clang();
        byte[] other = clang.compile(KernelSource.text(), HipCompiler.options(AmdgcnArch.GFX950, DEFINES));
        List<HipCompiler> compilers = List.of(
                new HipCompiler(null, clang),
                new HipCompiler(process("kill -9 $$"), clang),
                new HipCompiler(process("printf '\\000nonsense' > $2"), clang),
                new HipCompiler(new Fixed(other), clang));
        for (HipCompiler compiler : compilers) {
            HipCompiler.Compiled compiled = compiler.compiled(KernelSource.text(), AmdgcnArch.GFX942, DEFINES);
            assertThat(compiled.compiler()).isEqualTo(clang.identity());
            assertThat(CodeObject.read(compiled.code()).architecture()).isEqualTo("gfx942");
        }
    }

    @Test
    void whatNoCompilerCompilesIsSaidInTheWordsOfEach() {
        HipClang clang = Needs.clang();
        HipCompiler both = new HipCompiler(process("printf '\\001words of the first' > $2"), clang);
        assertThatThrownBy(() -> both.compile("nonsense", "gfx942", List.of()))
                .isInstanceOf(DriverException.class)
                .hasMessageContainingAll("words of the first", "failed with exit code 1", "nonsense");
        byte[] other = clang.compile(KernelSource.text(), HipCompiler.options(AmdgcnArch.GFX950, DEFINES));
        assertThatThrownBy(() -> new HipCompiler(new Fixed(other), null).compile("", "gfx942", List.of()))
                .isInstanceOf(DriverException.class)
                .hasMessageContainingAll("a compiler of one answer", "gfx942", "gfx950", "clang");
        assertThatThrownBy(() -> new HipCompiler(new Fixed(new byte[9]), null).compile("", "gfx942", List.of()))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("no code object");
    }

    @Test
    void withoutAnyCompilerASentenceSaysWhatToInstall() {
        HipCompiler none = new HipCompiler(null, null);
        for (Runnable use : List.<Runnable>of(none::identity, () -> none.compile("", "gfx942", List.of()))) {
            assertThatThrownBy(use::run)
                    .isInstanceOf(DriverException.class)
                    .hasMessageContainingAll("No compiler for the kernels", "Install ROCm's hipRTC, or clang");
        }
    }

    @Test
    void anArchitectureThatIsNotCompiledForIsRefusedBeforeAnyCompilerSeesIt() {
        HipCompiler compiler = new HipCompiler(new Fixed(new byte[9]), null);
        for (String architecture :
                List.of("gfx999", "sm_90", "", "gfx942; rm", "GFX942", "gfx942:garbage", "gfx9420", "gfx942:xnack")) {
            assertThatThrownBy(() -> compiler.compile("", architecture, DEFINES))
                    .as(architecture)
                    .isInstanceOf(UsageException.class)
                    .hasMessageContaining("gfx942");
        }
        assertThat(AmdgcnArch.of("gfx942:sramecc+:xnack-")).isEqualTo(AmdgcnArch.GFX942);
    }

    @Test
    void codeForAnotherArchitectureIsNotLoaded() {
        byte[] code = Needs.clang().compile(KernelSource.text(), HipCompiler.options(AmdgcnArch.GFX950, DEFINES));
        DeviceInfo right = new DeviceInfo(3, "a device", "gfx950", "GPU-0000:c1:00.0", 256, 64, 1L << 38);
        DeviceInfo other = new DeviceInfo(3, "a device", "gfx942", "GPU-0000:c1:00.0", 304, 64, 1L << 38);
        HipDriver.requireFit(right, code);
        assertThatThrownBy(() -> HipDriver.requireFit(other, code))
                .isInstanceOf(DriverException.class)
                .hasMessageContainingAll("gfx950", "device 3", "gfx942");
    }

    @Test
    void aNamedClangThatIsNoProgramIsSaid(@TempDir Path folder) {
        for (String named : List.of("/nonexistent", folder.toString(), "clang")) {
            Map<String, String> environment = Map.of("LOCKSTEP_CLANG", named);
            assertThat(HipClang.find(environment)).as(named).isNull();
            assertThat(HipClang.whyNot(environment)).contains("LOCKSTEP_CLANG", named);
        }
        HipClang wrong = Objects.requireNonNull(HipClang.find(Map.of("LOCKSTEP_CLANG", "/bin/true")));
        assertThatThrownBy(() -> wrong.compile("source", OPTIONS))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("wrote no code");
    }

    @Test
    void twoProcessesAtOnceMakeTheSameCode() throws Exception {
        Needs.hipRtc();
        HipRtcProcess process = HipRtcProcess.ofJava();
        try (ExecutorService both = Executors.newFixedThreadPool(2)) {
            Future<byte[]> first = both.submit(() -> process.compile(KernelSource.text(), OPTIONS));
            Future<byte[]> second = both.submit(() -> process.compile(KernelSource.text(), OPTIONS));
            assertThat(first.get()).isEqualTo(second.get()).isNotEmpty();
        }
    }
}
