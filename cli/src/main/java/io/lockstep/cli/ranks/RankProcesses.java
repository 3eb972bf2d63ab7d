package io.lockstep.cli.ranks;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How the process of a rank is started: this Java, these jars, the hidden command {@code rank}. */
final class RankProcesses {
    /** The kernels check their bounds before a loop; the Vector API would check them once more at every access. */
    private static final String NO_BOUNDS_CHECKS = "-Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0";

    private static final String MODULE = "io.lockstep.cli";
    private static final String MAIN = MODULE + ".Main";

    private RankProcesses() {}

    static List<String> command(String role, int heapMegabytes) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--add-modules=jdk.incubator.vector");
        // Small processes, many at once: one collector thread, and no file about each in the temporary folder.
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xmx" + heapMegabytes + "m"));
        String flags = System.getenv("LOCKSTEP_JVM_FLAGS");
        if (flags != null && !flags.isBlank()) {
            command.addAll(List.of(flags.strip().split("\\s+")));
        }
        String modulePath = System.getProperty("jdk.module.path");
        if (RankProcesses.class.getModule().isNamed() && modulePath != null) {
            command.add(NO_BOUNDS_CHECKS);
            command.add("--enable-native-access=io.lockstep.core,io.lockstep.gpu");
            command.addAll(List.of("--module-path", modulePath, "--module", MODULE + "/" + MAIN));
        } else {
            command.add(NO_BOUNDS_CHECKS);
            command.add("--enable-native-access=ALL-UNNAMED");
            command.addAll(List.of("--class-path", classPath(), MAIN));
        }
        command.addAll(List.of("rank", role));
        return command;
    }

    private static String classPath() {
        // Test runners may hide the true path behind a jar with a manifest.
        String real = System.getProperty("surefire.test.class.path");
        return real == null ? System.getProperty("java.class.path", "." + File.pathSeparator) : real;
    }
}
