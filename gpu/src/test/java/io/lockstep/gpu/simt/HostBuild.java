package io.lockstep.gpu.simt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lockstep.gpu.Tools;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One program of the host: the kernels for some options, the shim and the driver.
 *
 * @param options of the kernels
 * @param wave 32 or 64
 * @param source the kernels as one text
 * @param threadSanitizer whether races are looked for
 */
record HostBuild(KernelOptions options, int wave, String source, boolean threadSanitizer) {
    private static final String COMPILER = "g++";
    private static final List<String> FLAGS = List.of(
            "-std=c++17",
            "-O1",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-Wno-unknown-pragmas",
            "-Wno-unused-function",
            "-Wno-unused-parameter",
            "-Wno-unused-variable",
            "-Wno-unused-but-set-variable");
    private static final long MOST_SECONDS = 120;

    /** As the kernels are. */
    static HostBuild of(KernelOptions options, int wave) {
        return new HostBuild(options, wave, KernelSource.text(), false);
    }

    /** With other text in one place of the kernels, which must be there once. */
    HostBuild with(String text, String other) {
        assertThat(source.split(Pattern.quote(text), -1))
                .as("the kernels have this text once: " + text)
                .hasSize(2);
        return new HostBuild(options, wave, source.replace(text, other), threadSanitizer);
    }

    HostBuild withThreadSanitizer() {
        return new HostBuild(options, wave, source, true);
    }

    /** Ends the test as skipped where there is no compiler. */
    static void requireCompiler() {
        assumeTrue(
                Tools.find(COMPILER).isPresent(),
                "g++ is not on the PATH: without it the kernels are not run on the host.");
    }

    /** Whether the compiler can link ThreadSanitizer. */
    static boolean hasThreadSanitizer() throws IOException, InterruptedException {
        Path source = Files.createTempFile("empty", ".cpp");
        Path program = Files.createTempFile("empty", ".out");
        try {
            Files.writeString(source, "int main() {}\n");
            return run(
                                    List.of(COMPILER, "-fsanitize=thread", source.toString(), "-o", program.toString()),
                                    MOST_SECONDS)
                            .status()
                    == 0;
        } finally {
            Files.delete(source);
            Files.deleteIfExists(program);
        }
    }

    /** The program, compiled if it is not there from before. */
    Path program() throws IOException, InterruptedException {
        Path folder = Path.of(System.getProperty("user.home"), "simt");
        String shim = resource("simt.h") + resource("simt.cpp") + resource("meetings.h") + resource("memory.h");
        List<String> engineFlags = flags(threadSanitizer ? List.of("-DSIMT_TSAN") : List.of());
        Path engine = folder.resolve(hash(shim, engineFlags) + ".o");
        if (!Files.exists(engine)) {
            compile(engine, engineFlags, List.of("-c"), List.of(write(folder, engine, "simt.cpp")));
        }
        List<String> kernelFlags =
                new ArrayList<>(flags(List.of("-ffp-contract=off", "-DLS_HOST", "-DLS_WAVE=" + wave)));
        options.defines().forEach(define -> kernelFlags.add("-D" + define));
        if (threadSanitizer) {
            kernelFlags.add("-fsanitize=thread");
            kernelFlags.add("-g1");
        }
        String all = shim + resource("shim.h") + resource("driver.cpp") + source;
        Path program = folder.resolve(hash(all, kernelFlags));
        if (!Files.exists(program)) {
            compile(program, kernelFlags, List.of(), List.of(write(folder, program, "driver.cpp"), engine));
        }
        return program;
    }

    private static List<String> flags(List<String> more) {
        return Stream.concat(FLAGS.stream(), more.stream()).toList();
    }

    /** Puts all sources into a folder of their own; gives the path of one. */
    private Path write(Path folder, Path result, String main) throws IOException {
        Path sources = folder.resolve(result.getFileName() + ".src");
        Files.createDirectories(sources);
        for (String file : List.of("simt.h", "simt.cpp", "meetings.h", "memory.h", "shim.h", "driver.cpp")) {
            Files.writeString(sources.resolve(file), resource(file));
        }
        Files.writeString(
                sources.resolve("kernels.cu"), source.replaceAll("#error \"The shim is .*", "#include \"shim.h\""));
        return sources.resolve(main);
    }

    /** Compiled beside its place and moved there, so that two builds of one program do not meet. */
    private static void compile(Path result, List<String> flags, List<String> how, List<Path> inputs)
            throws IOException, InterruptedException {
        Path temporary = Files.createTempFile(result.getParent(), "build", ".tmp");
        List<String> command = new ArrayList<>(List.of(COMPILER));
        command.addAll(flags);
        command.addAll(how);
        inputs.forEach(input -> command.add(input.toString()));
        command.addAll(List.of("-o", temporary.toString()));
        Output output = run(command, MOST_SECONDS);
        assertThat(output.status()).as(output.text()).isZero();
        Files.move(temporary, result, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** What a program has said, and how it ended. */
    record Output(int status, String text) {}

    /** Runs a program to its end, or kills it when it takes too long. */
    static Output run(List<String> command, long seconds) throws IOException, InterruptedException {
        Path said = Files.createTempFile("simt", ".txt");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile());
            builder.environment().put("TSAN_OPTIONS", "exitcode=66 halt_on_error=1 history_size=4");
            Process process = builder.start();
            if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                throw new AssertionError(
                        "The program " + command.getFirst() + " has not ended after " + seconds + " s.");
            }
            return new Output(process.exitValue(), Files.readString(said));
        } finally {
            Files.delete(said);
        }
    }

    private static String resource(String file) throws IOException {
        try (InputStream in = Objects.requireNonNull(HostBuild.class.getResourceAsStream(file), file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String hash(String text, List<String> flags) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(text.getBytes(StandardCharsets.UTF_8));
            digest.update(flags.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(Arrays.copyOf(digest.digest(), 12));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256.", e);
        }
    }
}
