package io.lockstep.gpu.cuda;

import io.lockstep.gpu.driver.NativeLibrary;
import io.lockstep.gpu.driver.RuntimeCompiler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * NVIDIA's run-time compiler, from wherever it is installed: the file or folder that {@code LOCKSTEP_NVRTC} names,
 * {@code LD_LIBRARY_PATH}, a CUDA toolkit, the system's loader, or a Python package.
 */
final class Nvrtc {
    private static final List<String> SONAMES = List.of("libnvrtc.so.13", "libnvrtc.so.12");
    private static final RuntimeCompiler COMPILER =
            new RuntimeCompiler("NVRTC", "nvrtc", "CUBIN", "lockstep.cu", open(System.getenv()));

    private Nvrtc() {}

    /** The compiler; it says itself why not where it is absent. */
    static RuntimeCompiler compiler() {
        return COMPILER;
    }

    private static NativeLibrary open(Map<String, String> environment) {
        List<String> candidates = LibraryPlaces.candidates(environment, "LOCKSTEP_NVRTC", SONAMES);
        for (String candidate : candidates) {
            // It asks for its builtins by name only when it compiles: they must be there by then.
            openBuiltins(candidate);
        }
        return NativeLibrary.open("NVIDIA's run-time compiler libnvrtc", candidates);
    }

    private static void openBuiltins(String candidate) {
        Path folder = Path.of(candidate).getParent();
        if (folder == null || !Files.isRegularFile(Path.of(candidate))) {
            return;
        }
        for (Path builtins : LibraryPlaces.matching(folder, "libnvrtc-builtins.so*")) {
            NativeLibrary.open("libnvrtc-builtins", List.of(builtins.toString()));
        }
    }
}
