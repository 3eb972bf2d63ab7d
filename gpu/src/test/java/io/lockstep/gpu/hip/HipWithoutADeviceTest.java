package io.lockstep.gpu.hip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lockstep.core.Backend;
import io.lockstep.core.Backends;
import io.lockstep.core.DType;
import io.lockstep.core.DriverException;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.inspect.AmdgcnArch;
import io.lockstep.gpu.inspect.AmdgcnInspection;
import io.lockstep.gpu.inspect.CodeObject;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HipWithoutADeviceTest {
    private static final KernelOptions OPTIONS = new KernelOptions(4, DType.BF16, 2880, true, true);

    private static void assumeNoDevice() {
        assumeTrue(!(new HipDriver().probe() instanceof Readiness.Ready), "This machine has an AMD GPU.");
    }

    @Test
    void theBackendIsFoundAndSaysWhyItCannotRun() {
        assumeNoDevice();
        Backend hip = Backends.all().stream()
                .filter(backend -> backend.name().equals("hip"))
                .findFirst()
                .orElseThrow();
        assertThat(hip.probe())
                .isInstanceOfSatisfying(
                        Readiness.NotReady.class,
                        notReady -> assertThat(notReady.reason().split("\\. "))
                                .as("one sentence")
                                .hasSize(1));
        assertThatThrownBy(() -> Backends.named("hip")).isInstanceOf(DriverException.class);
    }

    @Test
    void theRealRuntimeSaysThatThereIsNoDevice() {
        Needs.hip();
        assumeNoDevice();
        assertThat(Hip.init()).isNotEqualTo(Hip.SUCCESS);
        assertThat(Hip.deviceCount()).isZero();
        assertThat(new HipDriver().devices()).isEmpty();
        assertThat(((Readiness.NotReady) new HipDriver().probe()).reason())
                .contains("hipErrorInvalidDevice", "/dev/kfd");
    }

    @Test
    void everyFunctionThatIsBoundIsInTheRealRuntime() {
        Needs.hip();
        assertThat(Hip.whyNot()).isNull();
    }

    @Test
    void whatNeedsADeviceEndsWithTheRuntimesOwnWord() {
        Needs.hip();
        assumeNoDevice();
        List<Runnable> calls = List.of(
                () -> Hip.setDevice(0),
                () -> Hip.allocateUncached(2 << 20),
                () -> Hip.allocate(4096),
                () -> Hip.allocateHost(4096),
                Hip::createStream,
                Hip::createEvent,
                () -> Hip.loadModule(new byte[64]),
                () -> Hip.deviceAttribute(0, Hip.ATTRIBUTE_WARP_SIZE),
                () -> Hip.devicePciBusId(0),
                () -> Hip.canAccessPeer(0, 1));
        for (Runnable call : calls) {
            assertThatThrownBy(call::run).isInstanceOf(DriverException.class).hasMessageContaining("hipError");
        }
        assertThatThrownBy(() -> new HipDriver().use(0))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("no device 0");
    }

    @Test
    void theRealRunTimeCompilerMakesTheKernelsInAProcessOfItsOwn() {
        Needs.hipRtc();
        List<String> options = HipCompiler.options(AmdgcnArch.GFX90A, OPTIONS.defines(0));
        byte[] code = HipRtcProcess.ofJava().compile(KernelSource.text(), options);
        CodeObject object = CodeObject.read(code);
        assertThat(object.architecture()).isEqualTo("gfx90a");
        assertThat(AmdgcnInspection.code(object, Needs.disassembler().listing(code), OPTIONS.threads()))
                .isEmpty();
    }

    @Test
    void aRunTimeCompilerThatEndsItsProcessEndsNoOther() {
        Needs.hipRtc();
        List<String> options = new ArrayList<>(HipCompiler.options(AmdgcnArch.GFX90A, OPTIONS.defines(0)));
        options.set(0, "--offload-arch=gfx9999");
        assertThatThrownBy(() -> HipRtcProcess.ofJava().compile(KernelSource.text(), options))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("hipRTC");
    }

    @Test
    void sourceThatDoesNotCompileComesBackWithTheCompilersWords() {
        Needs.hipRtc();
        assertThatThrownBy(() ->
                        HipRtcProcess.ofJava().compile("nonsense", HipCompiler.options(AmdgcnArch.GFX90A, List.of())))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("nonsense");
        assertThatThrownBy(() -> Needs.clang().compile("nonsense", HipCompiler.options(AmdgcnArch.GFX90A, List.of())))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("nonsense");
    }

    @Test
    void whatTheRunTimeCompilerDoesNotKnowClangCompiles() {
        Needs.clang();
        for (AmdgcnArch arch : List.of(AmdgcnArch.GFX942, AmdgcnArch.GFX1250)) {
            byte[] code = new HipCompiler().compile(KernelSource.text(), arch.label(), OPTIONS.defines(0));
            assertThat(CodeObject.read(code).architecture()).isEqualTo(arch.label());
        }
    }

    @Test
    void memoryForPeersIsWholeBlocksOfTwoMebibytes() {
        assertThat(HipPeerMemory.rounded(1)).isEqualTo(2 << 20);
        assertThat(HipPeerMemory.rounded(2 << 20)).isEqualTo(2 << 20);
        assertThat(HipPeerMemory.rounded((2 << 20) + 1)).isEqualTo(4 << 20);
    }
}
