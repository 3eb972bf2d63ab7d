package io.lockstep.gpu;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Starts the self-test once for each rank. */
final class SelfTestProcesses {
    /** The exit code of the rank that ends itself at the end. */
    static final int KILLED = 77;

    private SelfTestProcesses() {}

    /** 0 if every rank found everything right. */
    static int start(int worldSize, String[] arguments) {
        List<Process> ranks = new ArrayList<>();
        try {
            for (int rank = 0; rank < worldSize; rank++) {
                List<String> command = new ArrayList<>(List.of(
                        ProcessHandle.current().info().command().orElse("java"),
                        "--add-modules=jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        GpuSelfTest.class.getName()));
                command.addAll(List.of(arguments));
                ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
                builder.environment()
                        .putAll(Map.of(
                                "LOCKSTEP_RANK",
                                Integer.toString(rank),
                                "LOCKSTEP_WORLD_SIZE",
                                Integer.toString(worldSize),
                                "LOCKSTEP_GROUP",
                                "self-test-" + ProcessHandle.current().pid()));
                ranks.add(builder.start());
            }
            int worst = 0;
            for (Process rank : ranks) {
                int code = rank.waitFor();
                worst = code == 0 || code == KILLED ? worst : code;
            }
            System.out.println("ranks as processes: " + (worst == 0 ? "all right" : "exit code " + worst));
            return worst;
        } catch (IOException e) {
            throw new IllegalStateException("A rank cannot be started.", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted.", e);
        } finally {
            ranks.forEach(Process::destroyForcibly);
        }
    }
}
