package io.lockstep.gpu.hip;

import io.lockstep.core.DriverException;
import io.lockstep.gpu.driver.Programs;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * hipRTC in a Java process of its own. It ends the process that it runs in where it does not know an architecture, and
 * its compiler keeps much memory. The process reads a question from a file and writes its answer to another one, in a
 * folder that is its own: what a crash leaves behind goes with it.
 */
final class HipRtcProcess implements CodeObjectCompiler {
    private static final int DONE = 0;
    private static final int REFUSED = 1;
    private static final Duration MOST = Duration.ofMinutes(2);

    private final List<String> command;
    private final Duration most;

    /**
     * A program that is called with the paths of the question and of the answer.
     *
     * @param most that it may take before it is ended
     */
    HipRtcProcess(List<String> command, Duration most) {
        this.command = List.copyOf(command);
        this.most = most;
    }

    /** This class in the Java that runs. */
    static HipRtcProcess ofJava() {
        return new HipRtcProcess(command(), MOST);
    }

    /**
     * The process. Its output is left to what the libraries print.
     *
     * @param arguments the files of the question and the answer
     */
    public static void main(String[] arguments) throws IOException {
        List<String> options = new ArrayList<>();
        String source;
        try (DataInputStream in = new DataInputStream(Files.newInputStream(Path.of(arguments[0])))) {
            for (int left = in.readInt(); left > 0; left--) {
                options.add(in.readUTF());
            }
            source = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(Path.of(arguments[1])))) {
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

    @Override
    public String identity() {
        return HipRtc.compiler().identity() + " (" + HipRtc.compiler().path() + ")";
    }

    @Override
    public byte[] compile(String source, List<String> options) {
        try {
            Path folder = Files.createTempDirectory("lockstep-hiprtc");
            try {
                return compile(source, options, folder);
            } finally {
                Programs.remove(folder);
            }
        } catch (IOException e) {
            throw new DriverException("hipRTC: a process cannot be started for it: " + e.getMessage() + ".", e);
        }
    }

    private byte[] compile(String source, List<String> options, Path folder) throws IOException {
        Path question = folder.resolve("question.bin");
        Path answer = folder.resolve("answer.bin");
        Path said = folder.resolve("said.txt");
        try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(question))) {
            out.writeInt(options.size());
            for (String option : options) {
                out.writeUTF(option);
            }
            out.write(source.getBytes(StandardCharsets.UTF_8));
        }
        List<String> whole = new ArrayList<>(command);
        whole.addAll(List.of(question.toString(), answer.toString()));
        Process process = new ProcessBuilder(whole)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        String end;
        try {
            process.getOutputStream().close();
            end = end(process);
        } finally {
            process.destroyForcibly();
        }
        byte[] all = Files.exists(answer) ? Files.readAllBytes(answer) : new byte[0];
        if (end.equals("exit code 0") && all.length > 1) {
            byte[] content = Arrays.copyOfRange(all, 1, all.length);
            if (all[0] == DONE) {
                return content;
            }
            if (all[0] == REFUSED) {
                throw new DriverException(new String(content, StandardCharsets.UTF_8));
            }
        }
        throw new DriverException(
                "hipRTC ended its process (" + end + ") without an answer when it was to compile with "
                        + options + ": it does not know this architecture, or it is broken."
                        + lastLine(new String(Files.readAllBytes(said), StandardCharsets.UTF_8)));
    }

    private String end(Process process) {
        try {
            return process.waitFor(most.toMillis(), TimeUnit.MILLISECONDS)
                    ? "exit code " + process.exitValue()
                    : "stopped after " + most.toMillis() + " ms";
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
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xmx256m", "-XX:-CreateCoredumpOnCrash"));
        String main = HipRtcProcess.class.getName();
        Module module = HipRtcProcess.class.getModule();
        if (module.isNamed()) {
            command.addAll(List.of(
                    "--enable-native-access=" + module.getName(),
                    "--module-path",
                    absolute(System.getProperty("jdk.module.path", "")),
                    "--module",
                    module.getName() + "/" + main));
        } else {
            command.addAll(List.of(
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    absolute(System.getProperty("java.class.path", "")),
                    main));
        }
        return command;
    }

    /** The process runs in another folder. */
    private static String absolute(String paths) {
        return Arrays.stream(paths.split(File.pathSeparator, -1))
                .filter(path -> !path.isEmpty())
                .map(path -> Path.of(path).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }
}
