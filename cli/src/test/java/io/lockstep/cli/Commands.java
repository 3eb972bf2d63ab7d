package io.lockstep.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How a test starts the command line in a process of its own, without the launcher. */
final class Commands {
    private Commands() {}

    static List<String> lockstep(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "io.lockstep.cli.Main"));
        command.addAll(List.of(arguments));
        return command;
    }
}
