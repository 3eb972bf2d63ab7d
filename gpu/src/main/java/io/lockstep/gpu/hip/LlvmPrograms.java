package io.lockstep.gpu.hip;

import io.lockstep.gpu.driver.Programs;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** LLVM's programs, whose names distributions end with the version. */
final class LlvmPrograms {
    private static final int NEWEST = 25;

    /** The first one that knows gfx942. */
    private static final int OLDEST = 19;

    private LlvmPrograms() {}

    /**
     * The newest one on the PATH whose version is in its name, else the plain one, else ROCm's; null if there is none.
     */
    static @Nullable Path find(String name) {
        List<String> names = Stream.concat(
                        IntStream.iterate(NEWEST, version -> version >= OLDEST, version -> version - 1)
                                .mapToObj(version -> name + "-" + version),
                        Stream.of(name))
                .toList();
        return Programs.find(names, List.of(Path.of("/opt/rocm/llvm/bin", name)));
    }
}
