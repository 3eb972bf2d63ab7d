package io.lockstep.gpu.hip;

import io.lockstep.core.DriverException;
import io.lockstep.gpu.driver.Compiler;
import io.lockstep.gpu.inspect.AmdgcnArch;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** hipRTC; where it is not found, or does not know the architecture, a clang of the machine. */
public final class HipCompiler implements Compiler {
    @Override
    public String identity() {
        HipClang clang = HipClang.find();
        if (HipRtc.compiler().whyNot() != null) {
            return required(clang).identity();
        }
        return HipRtc.compiler().identity() + " (" + HipRtc.compiler().path() + ")"
                + (clang == null ? "" : ", " + clang.identity());
    }

    @Override
    public byte[] compile(String source, String architecture, List<String> defines) {
        List<String> options = options(AmdgcnArch.of(architecture), defines);
        HipClang clang = HipClang.find();
        if (HipRtc.compiler().whyNot() != null) {
            return required(clang).compile(source, options);
        }
        try {
            return HipRtcProcess.compile(source, options);
        } catch (DriverException e) {
            // An older one does not know newer architectures.
            if (clang == null) {
                throw e;
            }
            return clang.compile(source, options);
        }
    }

    /** What both compilers are told. No multiply and add in one; IEEE division and root are the default. */
    public static List<String> options(AmdgcnArch arch, List<String> defines) {
        List<String> options =
                new ArrayList<>(List.of("--offload-arch=" + arch.label(), "-std=c++17", "-O3", "-ffp-contract=off"));
        options.add("-DLS_WAVE=" + arch.wave());
        defines.forEach(define -> options.add("-D" + define));
        return options;
    }

    private static HipClang required(@Nullable HipClang clang) {
        if (clang != null) {
            return clang;
        }
        throw new DriverException(
                "No compiler for the kernels: " + HipRtc.compiler().whyNot()
                        + ", and no clang is on the PATH. Install ROCm's hipRTC, or clang 19 or newer with its lld.");
    }
}
