package io.lockstep.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The compilers of the machine that tests run on. */
public final class Tools {
    private Tools() {}

    /** A program on the PATH or in the CUDA toolkit, if it is there. */
    public static Optional<Path> find(String name) {
        return Stream.concat(
                        Stream.of(System.getenv().getOrDefault("PATH", "").split(":", -1)),
                        Stream.of("/usr/local/cuda/bin"))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** What a program prints; it must end with 0. */
    public static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("%s%n%s", command, said).isZero();
        return said;
    }

    /** What a C++ program prints that consists of this text. */
    public static String runSource(Path folder, String source, List<String> options)
            throws IOException, InterruptedException {
        Path text = Files.writeString(folder.resolve("program.cpp"), source);
        Path program = folder.resolve("program");
        run(Stream.concat(
                        Stream.of(find("g++").orElseThrow().toString(), "-std=c++17"),
                        Stream.concat(options.stream(), Stream.of("-o", program.toString(), text.toString())))
                .toList());
        return run(List.of(program.toString()));
    }
}
