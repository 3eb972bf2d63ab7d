package io.lockstep.gpu.host;

import io.lockstep.gpu.Tools;
import io.lockstep.gpu.driver.Compiler;
import io.lockstep.gpu.driver.Programs;
import io.lockstep.gpu.kernel.KernelSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** Makes a library of the host out of the kernels. */
final class HostCompiler implements Compiler {
    private static final String SHIM_STANDS_HERE = "#error \"The shim is .*";

    private final UnaryOperator<String> change;

    HostCompiler(UnaryOperator<String> change) {
        this.change = change;
    }

    @Override
    public String identity() {
        // The engine is part of what code depends on.
        return "g++ for the host, engine " + resource("host/live.cpp").hashCode() + " shim "
                + resource("simt/shim.h").hashCode() + " change "
                + (change.apply(KernelSource.text()) + change.apply(KernelSource.check())).hashCode();
    }

    @Override
    public byte[] compile(String source, String architecture, List<String> defines) {
        try {
            Path folder = Files.createTempDirectory("lockstep-host");
            try {
                Files.writeString(folder.resolve("simt.h"), resource("simt/simt.h"));
                Files.writeString(folder.resolve("shim.h"), resource("simt/shim.h"));
                Files.writeString(folder.resolve("live.cpp"), resource("host/live.cpp"));
                Files.writeString(
                        folder.resolve("kernels.cu"),
                        change.apply(source).replaceAll(SHIM_STANDS_HERE, "#include \"shim.h\""));
                List<String> command = new ArrayList<>(List.of(
                        Tools.find("g++").orElseThrow().toString(),
                        "-std=c++17",
                        "-O1",
                        "-ffp-contract=off",
                        "-fPIC",
                        "-shared",
                        "-w",
                        "-DLS_HOST",
                        "-DLS_WAVE=32"));
                defines.forEach(define -> command.add("-D" + define));
                Path library = folder.resolve("kernels.so");
                command.addAll(List.of(
                        "-o", library.toString(), folder.resolve("live.cpp").toString()));
                Tools.run(command);
                return Files.readAllBytes(library);
            } finally {
                Programs.remove(folder);
            }
        } catch (IOException e) {
            throw new IllegalStateException("The kernels cannot be compiled for the host.", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    static String resource(String file) {
        try (InputStream in =
                Objects.requireNonNull(HostCompiler.class.getResourceAsStream("/io/lockstep/gpu/" + file), file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(file, e);
        }
    }
}
