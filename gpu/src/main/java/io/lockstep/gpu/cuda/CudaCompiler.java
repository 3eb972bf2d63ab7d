package io.lockstep.gpu.cuda;

import io.lockstep.core.DriverException;
import io.lockstep.gpu.driver.Compiler;
import io.lockstep.gpu.driver.Programs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** NVRTC where it is found, else the toolkit's nvcc in a process of its own, else what was shipped. */
final class CudaCompiler implements Compiler {
    /** Rounding as written, no multiply and add in one; IEEE division and root are the default. */
    private static final List<String> COMMON = List.of("-std=c++17", "--fmad=false");

    @Override
    public String identity() {
        if (Nvrtc.compiler().whyNot() == null) {
            return Nvrtc.compiler().identity();
        }
        Path nvcc = nvcc();
        if (nvcc != null) {
            return identity(nvcc);
        }
        return "shipped with Lockstep";
    }

    private static String identity(Path nvcc) {
        return "nvcc " + lastLine(Programs.run(List.of(nvcc.toString(), "--version"), "nvcc --version"));
    }

    @Override
    public String place() {
        if (Nvrtc.compiler().whyNot() == null) {
            return Nvrtc.compiler().path();
        }
        Path nvcc = nvcc();
        return nvcc == null ? "" : nvcc.toString();
    }

    @Override
    public byte[] compile(String source, String architecture, List<String> defines) {
        if (Nvrtc.compiler().whyNot() == null) {
            List<String> options = new ArrayList<>(COMMON);
            options.addFirst("--gpu-architecture=" + architecture);
            options.add("-default-device");
            defines.forEach(define -> options.add("-D" + define));
            options.add("-DLS_PTX=" + (Nvrtc.compiler().identity().startsWith("NVRTC 13") ? 86 : 80));
            return Nvrtc.compiler().compile(source, options);
        }
        if (nvcc() != null) {
            return compileByNvcc(source, architecture, defines);
        }
        return ShippedCode.find(source, architecture, defines)
                .orElseThrow(() -> none(architecture + " with " + String.join(" ", defines)));
    }

    byte[] compileByNvcc(String source, String architecture, List<String> defines) {
        Path nvcc = nvcc();
        if (nvcc == null) {
            throw none(architecture);
        }
        List<String> command = new ArrayList<>(COMMON);
        command.addFirst(nvcc.toString());
        command.add("-arch=" + architecture);
        defines.forEach(define -> command.add("-D" + define));
        command.add("-DLS_PTX=" + (identity(nvcc).contains("cuda_13") ? 86 : 80));
        command.add("-cubin");
        return Programs.compile(command, source, "lockstep.cu");
    }

    private static String lastLine(String text) {
        return text.strip().lines().reduce("", (before, line) -> line);
    }

    /** The toolkit's compiler; null if there is none. */
    static @Nullable Path nvcc() {
        return Programs.find(List.of("nvcc"), List.of(Path.of("/usr/local/cuda/bin/nvcc")));
    }

    private static DriverException none(String wanted) {
        return new DriverException(
                "No compiler for the kernels: " + Nvrtc.compiler().whyNot()
                        + ", nvcc is not on the PATH, and this build of Lockstep has no compiled kernels for " + wanted
                        + " (built where nvcc is, it has " + ShippedCode.contents()
                        + "). Install CUDA's NVRTC (for example the Python package nvidia-cuda-nvrtc) or name its file"
                        + " in LOCKSTEP_NVRTC.");
    }
}
