package io.lockstep.gpu.hip;

import io.lockstep.core.DriverException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A clang of the machine that compiles for AMD GPUs: ROCm's, or the distribution's with its lld. */
public final class HipClang {
    private static final int NEWEST = 25;
    private static final int OLDEST = 16;

    private final Path file;

    private HipClang(Path file) {
        this.file = file;
    }

    /** The one that {@code LOCKSTEP_CLANG} names, else the newest on the PATH, else ROCm's; null if there is none. */
    public static @Nullable HipClang find() {
        String named = System.getenv().getOrDefault("LOCKSTEP_CLANG", "");
        if (!named.isEmpty()) {
            return Files.isExecutable(Path.of(named)) ? new HipClang(Path.of(named)) : null;
        }
        Path found = Tools.find("clang", NEWEST, OLDEST);
        return found == null ? null : new HipClang(found);
    }

    /** Such as {@code clang version 22.1.8}. */
    public String identity() {
        return Tools.run(List.of(file.toString(), "--version"), "clang --version")
                .lines()
                .findFirst()
                .orElse("clang");
    }

    /** A code object. */
    public byte[] compile(String source, List<String> options) {
        return output(source, options, List.of("--no-gpu-bundle-output"));
    }

    /** The same code as an assembly listing. */
    public String listing(String source, List<String> options) {
        return new String(output(source, options, List.of("-S")), StandardCharsets.UTF_8);
    }

    private byte[] output(String source, List<String> options, List<String> kind) {
        try {
            Path folder = Files.createTempDirectory("lockstep-clang");
            Path text = folder.resolve("lockstep.hip");
            Path code = folder.resolve("lockstep.out");
            try {
                Files.writeString(text, source);
                List<String> command = new ArrayList<>(
                        List.of(file.toString(), "-x", "hip", "--cuda-device-only", "-nogpuinc", "-nogpulib"));
                command.addAll(options);
                command.addAll(kind);
                command.addAll(List.of("-o", code.toString(), text.toString()));
                Tools.run(command, file.toString());
                return Files.readAllBytes(code);
            } finally {
                Files.deleteIfExists(text);
                Files.deleteIfExists(code);
                Files.deleteIfExists(folder);
            }
        } catch (IOException e) {
            throw new DriverException("The kernels cannot be compiled by " + file + ": " + e.getMessage() + ".", e);
        }
    }
}
