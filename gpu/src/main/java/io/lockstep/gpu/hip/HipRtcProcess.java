package io.lockstep.gpu.hip;

import io.lockstep.core.DriverException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

    /** The process: reads options and source, answers with the code or with what is wrong. */
    public static void main(String[] arguments) throws IOException {
        PrintStream answers = System.out;
        // What the libraries print goes nowhere near the answer.
        System.setOut(System.err);
        DataInputStream in = new DataInputStream(System.in);
        List<String> options = new ArrayList<>();
        for (int left = in.readInt(); left > 0; left--) {
            options.add(in.readUTF());
        }
        String source = new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
        DataOutputStream out = new DataOutputStream(answers);
        try {
            byte[] code = HipRtc.compile(source, options);
            out.writeByte(DONE);
            out.writeInt(code.length);
            out.write(code);
        } catch (DriverException e) {
            byte[] text = String.valueOf(e.getMessage()).getBytes(StandardCharsets.UTF_8);
            out.writeByte(REFUSED);
            out.writeInt(text.length);
            out.write(text);
        }
        out.flush();
        // Some of its versions crash when the process takes them down.
        Runtime.getRuntime().halt(0);
    }

    static byte[] compile(String source, List<String> options) {
        Path said;
        try {
            said = Files.createTempFile("lockstep-hiprtc", ".txt");
        } catch (IOException e) {
            throw new DriverException("hipRTC: no temporary file can be made: " + e.getMessage() + ".", e);
        }
        try {
            Process process =
                    new ProcessBuilder(command()).redirectError(said.toFile()).start();
            try {
                return answer(process, source, options, said);
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw new DriverException("hipRTC: a Java process cannot be started for it: " + e.getMessage() + ".", e);
        } finally {
            said.toFile().delete();
        }
    }

    private static byte[] answer(Process process, String source, List<String> options, Path said) throws IOException {
        byte[] text = source.getBytes(StandardCharsets.UTF_8);
        try {
            DataOutputStream out = new DataOutputStream(process.getOutputStream());
            out.writeInt(options.size());
            for (String option : options) {
                out.writeUTF(option);
            }
            out.writeInt(text.length);
            out.write(text);
            out.close();
            DataInputStream in = new DataInputStream(process.getInputStream());
            int state = in.readByte();
            byte[] answer = in.readNBytes(in.readInt());
            if (state == DONE) {
                return answer;
            }
            throw new DriverException(new String(answer, StandardCharsets.UTF_8));
        } catch (IOException ended) {
            throw new DriverException(
                    "hipRTC ended its process" + exitCode(process) + " when it was to compile with " + options
                            + ": it does not know this architecture, or it is broken."
                            + lastLine(Files.readString(said)),
                    ended);
        }
    }

    private static String exitCode(Process process) {
        try {
            return process.waitFor(MOST_SECONDS, TimeUnit.SECONDS) ? " (exit code " + process.exitValue() + ")" : "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
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
