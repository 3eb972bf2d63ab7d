package io.lockstep.gpu.cuda;

import io.lockstep.core.DriverException;
import io.lockstep.gpu.driver.Compiler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** NVRTC where it is found, else the toolkit's nvcc in a process of its own. */
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
            return "nvcc " + lastLine(run(List.of(nvcc.toString(), "--version"), "nvcc --version"));
        }
        throw none();
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
        Path nvcc = nvcc();
        if (nvcc == null) {
            throw none();
        }
        List<String> options = new ArrayList<>(COMMON);
        options.add("-arch=" + architecture);
        defines.forEach(define -> options.add("-D" + define));
        options.add("-DLS_PTX=" + (identity().contains("cuda_13") ? 86 : 80));
        return compileWith(nvcc, source, options);
    }

    private static byte[] compileWith(Path nvcc, String source, List<String> options) {
        try {
            Path folder = Files.createTempDirectory("lockstep-nvcc");
            try {
                Path text = Files.writeString(folder.resolve("lockstep.cu"), source);
                Path code = folder.resolve("lockstep.cubin");
                List<String> command = new ArrayList<>(List.of(nvcc.toString()));
                command.addAll(options);
                command.addAll(List.of("-cubin", "-o", code.toString(), text.toString()));
                run(command, "nvcc");
                return Files.readAllBytes(code);
            } finally {
                Files.deleteIfExists(folder.resolve("lockstep.cu"));
                Files.deleteIfExists(folder.resolve("lockstep.cubin"));
                Files.deleteIfExists(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("The kernels cannot be compiled by " + nvcc, e);
        }
    }

    private static String run(List<String> command, String what) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int code = process.waitFor();
            if (code != 0) {
                throw new DriverException(what + " failed with exit code " + code + ":\n" + said);
            }
            return said;
        } catch (IOException e) {
            throw new DriverException(what + " cannot be started: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DriverException(what + " was interrupted.", e);
        }
    }

    private static String lastLine(String text) {
        return text.strip().lines().reduce("", (before, line) -> line);
    }

    /** The toolkit's compiler; null if there is none. */
    static @Nullable Path nvcc() {
        List<Path> places = new ArrayList<>();
        for (String folder : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            if (!folder.isEmpty()) {
                places.add(Path.of(folder, "nvcc"));
            }
        }
        places.add(Path.of("/usr/local/cuda/bin/nvcc"));
        return places.stream().filter(Files::isExecutable).findFirst().orElse(null);
    }

    private static DriverException none() {
        return new DriverException(
                "No compiler for the kernels: " + Nvrtc.compiler().whyNot()
                        + ", and nvcc is not on the PATH. Install CUDA's NVRTC (for example the Python package"
                        + " nvidia-cuda-nvrtc) or name its file in LOCKSTEP_NVRTC.");
    }
}
