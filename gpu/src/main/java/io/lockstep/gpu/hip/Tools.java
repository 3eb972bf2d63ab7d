package io.lockstep.gpu.hip;

import io.lockstep.core.DriverException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Programs of LLVM on this machine. */
final class Tools {
    private Tools() {}

    /** The newest one on the PATH whose version is in its name, else the plain one, else ROCm's. */
    static @Nullable Path find(String name, int newest, int oldest) {
        List<Path> places = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (int version = newest; version >= oldest; version--) {
            names.add(name + "-" + version);
        }
        names.add(name);
        for (String candidate : names) {
            for (String folder : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
                if (!folder.isEmpty()) {
                    places.add(Path.of(folder, candidate));
                }
            }
        }
        places.add(Path.of("/opt/rocm/llvm/bin", name));
        return places.stream().filter(Files::isExecutable).findFirst().orElse(null);
    }

    /** What a program prints; an exception with it if it fails. */
    static String run(List<String> command, String what) {
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
}
