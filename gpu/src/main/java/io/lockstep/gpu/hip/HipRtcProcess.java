package io.lockstep.gpu.hip;

import io.lockstep.core.DriverException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * hipRTC in a Java process of its own. It ends the process that it runs in where it does not know an architecture, and
 * its compiler keeps much memory.
 */
final class HipRtcProcess {
    private static final int DONE = 0;
    private static final int REFUSED = 1;
    private static final long MOST_SECONDS = 120;

    private HipRtcProcess() {}

    /**
     * The process: reads options and source, and writes the code, or what is wrong, to a file. Its output is left to
     * what the libraries print.
     *
     * @param arguments the file
     */
    public static void main(String[] arguments) throws IOException {
        DataInputStream in = new DataInputStream(System.in);
        List<String> options = new ArrayList<>();
        for (int left = in.readInt(); left > 0; left--) {
            options.add(in.readUTF());
        }
        String source = new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
        try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(Path.of(arguments[0])))) {
            try {
                byte[] code = HipRtc.compiler().compile(source, options);
                out.writeByte(DONE);
                out.write(code);
            } catch (DriverException e) {
                out.writeByte(REFUSED);
                out.write(String.valueOf(e.getMessage()).getBytes(StandardCharsets.UTF_8));
            }
        }
        // Some of its versions crash when the process takes them down.
        Runtime.getRuntime().halt(0);
    }

    static byte[] compile(String source, List<String> options) {
        try {
            Path folder = Files.createTempDirectory("lockstep-hiprtc");
            Path said = folder.resolve("said.txt");
            Path answer = folder.resolve("answer.bin");
            try {
                return compile(source, options, said, answer);
            } finally {
                Files.deleteIfExists(said);
                Files.deleteIfExists(answer);
                Files.deleteIfExists(folder);
            }
        } catch (IOException e) {
            throw new DriverException("hipRTC: a Java process cannot be started for it: " + e.getMessage() + ".", e);
        }
    }

    private static byte[] compile(String source, List<String> options, Path said, Path answer) throws IOException {
        List<String> command = command();
        command.add(answer.toString());
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        try {
            boolean asked = ask(process, source, options);
            String end = end(process);
            if (asked && end.equals("exit code 0") && Files.exists(answer)) {
                byte[] all = Files.readAllBytes(answer);
                byte[] content = Arrays.copyOfRange(all, 1, all.length);
                if (all[0] == DONE) {
                    return content;
                }
                throw new DriverException(new String(content, StandardCharsets.UTF_8));
            }
            throw new DriverException("hipRTC ended its process (" + end + ") when it was to compile with " + options
                    + ": it does not know this architecture, or it is broken." + lastLine(Files.readString(said)));
        } finally {
            process.destroyForcibly();
        }
    }

    /** False if the process ended before it had read everything. */
    private static boolean ask(Process process, String source, List<String> options) {
        byte[] text = source.getBytes(StandardCharsets.UTF_8);
        try (DataOutputStream out = new DataOutputStream(process.getOutputStream())) {
            out.writeInt(options.size());
            for (String option : options) {
                out.writeUTF(option);
            }
            out.writeInt(text.length);
            out.write(text);
            return true;
        } catch (IOException ended) {
            return false;
        }
    }

    private static String end(Process process) {
        try {
            return process.waitFor(MOST_SECONDS, TimeUnit.SECONDS)
                    ? "exit code " + process.exitValue()
                    : "stopped after " + MOST_SECONDS + " seconds";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DriverException("hipRTC was interrupted.", e);
        }
    }

    private static String lastLine(String text) {
        String line = text.strip().lines().reduce("", (before, next) -> next);
        return line.isEmpty() ? "" : " Its last words: " + line;
    }

    private static List<String> command() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xmx256m"));
        String main = HipRtcProcess.class.getName();
        Module module = HipRtcProcess.class.getModule();
        if (module.isNamed()) {
            command.addAll(List.of(
                    "--enable-native-access=" + module.getName(),
                    "--module-path",
                    System.getProperty("jdk.module.path", ""),
                    "--module",
                    module.getName() + "/" + main));
        } else {
            command.addAll(List.of(
                    "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path", ""), main));
        }
        return command;
    }
}
