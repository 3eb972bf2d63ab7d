package io.lockstep.gpu.hip;

import io.lockstep.gpu.driver.Programs;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A clang of the machine that compiles for AMD GPUs: ROCm's, or the distribution's with its lld. */
public final class HipClang implements CodeObjectCompiler {
    private static final String VARIABLE = "LOCKSTEP_CLANG";

    private final Path file;

    private HipClang(Path file) {
        this.file = file;
    }

    /** The one that {@code LOCKSTEP_CLANG} names, else the newest on the PATH, else ROCm's; null if there is none. */
    public static @Nullable HipClang find() {
        return find(System.getenv());
    }

    static @Nullable HipClang find(Map<String, String> environment) {
        String named = environment.getOrDefault(VARIABLE, "");
        if (!named.isEmpty()) {
            return Programs.isProgram(Path.of(named)) ? new HipClang(Path.of(named)) : null;
        }
        Path found = LlvmPrograms.find("clang");
        return found == null ? null : new HipClang(found);
    }

    /** Why there is none, in a clause. */
    static String whyNot() {
        return whyNot(System.getenv());
    }

    static String whyNot(Map<String, String> environment) {
        String named = environment.getOrDefault(VARIABLE, "");
        return named.isEmpty()
                ? "no clang is on the PATH"
                : VARIABLE + " is '" + named + "', which is no program: expected the path of a clang";
    }

    /** Such as {@code clang version 22.1.8}. */
    @Override
    public String identity() {
        return Programs.run(List.of(file.toString(), "--version"), "clang --version")
                .lines()
                .findFirst()
                .orElse("clang");
    }

    /** A code object. */
    @Override
    public byte[] compile(String source, List<String> options) {
        return output(source, options, List.of("--no-gpu-bundle-output"));
    }

    /** The same code as an assembly listing. */
    public String listing(String source, List<String> options) {
        return new String(output(source, options, List.of("-S")), StandardCharsets.UTF_8);
    }

    private byte[] output(String source, List<String> options, List<String> kind) {
        List<String> command =
                new ArrayList<>(List.of(file.toString(), "-x", "hip", "--cuda-device-only", "-nogpuinc", "-nogpulib"));
        command.addAll(options);
        command.addAll(kind);
        return Programs.compile(command, source, "lockstep.hip");
    }
}
