package io.lockstep.gpu.driver;

import io.lockstep.core.DriverException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Programs of this machine, such as compilers. */
public final class Programs {
    private Programs() {}

    /**
     * The first one of these names that is in a folder of the PATH, else the first one of these files; null if there is
     * none.
     */
    public static @Nullable Path find(List<String> names, List<Path> files) {
        List<String> folders = Stream.of(
                        System.getenv().getOrDefault("PATH", "").split(":", -1))
                .filter(folder -> !folder.isEmpty())
                .toList();
        return Stream.concat(
                        names.stream().flatMap(name -> folders.stream().map(folder -> Path.of(folder, name))),
                        files.stream())
                .filter(Programs::isProgram)
                .findFirst()
                .orElse(null);
    }

    /** Whether there is a file that can be run. */
    public static boolean isProgram(Path path) {
        return Files.isRegularFile(path) && Files.isExecutable(path);
    }

    /** What a program prints; an exception with it if it fails. */
    public static String run(List<String> command, String what) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int code = process.waitFor();
            if (code != 0) {
                throw new DriverException(what + " failed with exit code " + code
                        + (said.isBlank() ? " and said nothing." : ":\n" + said.strip()));
            }
            return said;
        } catch (IOException e) {
            throw new DriverException(what + " cannot be started: " + e.getMessage() + ".", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DriverException(what + " was interrupted.", e);
        }
    }

    /** Removes a folder and all that lies in it, whoever has put it there. */
    public static void remove(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> found = Files.walk(folder)) {
            all = found.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.deleteIfExists(path);
        }
    }

    /**
     * The code that a compiler makes of a source, in a folder of its own.
     *
     * @param command up to the output, whose name and that of the source follow
     * @param file what the source is called
     */
    public static byte[] compile(List<String> command, String source, String file) {
        String compiler = command.getFirst();
        try {
            Path folder = Files.createTempDirectory("lockstep-compile");
            try {
                Path text = Files.writeString(folder.resolve(file), source);
                Path code = folder.resolve("lockstep.out");
                run(
                        Stream.concat(command.stream(), Stream.of("-o", code.toString(), text.toString()))
                                .toList(),
                        compiler);
                if (!Files.exists(code)) {
                    throw new DriverException(compiler + " ended well and wrote no code: is it a compiler?");
                }
                return Files.readAllBytes(code);
            } finally {
                remove(folder);
            }
        } catch (IOException e) {
            throw new DriverException("The kernels cannot be compiled by " + compiler + ": " + e.getMessage() + ".", e);
        }
    }
}
