package io.lockstep.gpu.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The kernels as one text: every file that another one includes by name stands where it is first named. */
public final class KernelSource {
    private static final String MAIN = "kernels.cu";
    private static final String CHECK = "check.cu";
    private static final String PROTOCOL = "protocol.h";
    private static final String INCLUDE = "#include \"";

    /** The host's shim stands for a device where none is compiled for; a device's compiler never gets to it. */
    private static final String SHIM = "shim.h";

    private KernelSource() {}

    /** With the default protocols. */
    public static String text() {
        return text(resource(PROTOCOL));
    }

    /** With these steps in the place of {@code protocol.h}. */
    public static String text(String protocol) {
        return expanded(MAIN, protocol);
    }

    /** What checks and measures the exchanges on the device, a text of its own. */
    public static String check() {
        return expanded(CHECK, resource(PROTOCOL));
    }

    private static String expanded(String file, String protocol) {
        StringBuilder text = new StringBuilder();
        expand(file, protocol, new ArrayList<>(), text);
        return text.toString();
    }

    private static void expand(String file, String protocol, List<String> seen, StringBuilder text) {
        seen.add(file);
        String content = file.equals(PROTOCOL) ? protocol : resource(file);
        for (String line : content.lines().toList()) {
            if (!line.startsWith(INCLUDE)) {
                text.append(line).append('\n');
                continue;
            }
            String named = line.substring(INCLUDE.length(), line.lastIndexOf('"'));
            if (named.equals(SHIM)) {
                text.append("#error \"The shim is for the host's compiler.\"\n");
            } else if (!seen.contains(named)) {
                expand(named, protocol, seen, text);
            }
        }
    }

    /** One file of the kernels. */
    public static String resource(String file) {
        try (InputStream in = KernelSource.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("The kernel file " + file + " is not in this jar: build it again.");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
