package io.lockstep.gpu.inspect;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The text that nvcc and NVRTC write, taken apart. */
final class PtxListing {
    private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+(\\w+)");
    private static final Pattern LABEL = Pattern.compile("(\\$?\\w+):");
    private static final Pattern MARK = Pattern.compile("// ls_mark\\.(\\S+)");
    private static final Pattern INSTRUCTION =
            Pattern.compile("(@!?%\\w+\\s+)?([a-z][\\w.:]*)\\s*(.*)", Pattern.DOTALL);

    private final List<PtxKernel> kernels = new ArrayList<>();
    private final StringBuilder statement = new StringBuilder();
    private List<PtxInstruction> code = new ArrayList<>();
    private Map<String, Integer> labels = new HashMap<>();
    private String name = "";
    private String mark = "";

    private PtxListing() {}

    /** The entry points, in order. Functions beside them are left out. */
    static List<PtxKernel> kernels(String text) {
        PtxListing listing = new PtxListing();
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            listing.line(lines[i], i + 1);
        }
        return List.copyOf(listing.kernels);
    }

    private void line(String line, int number) {
        Matcher entry = ENTRY.matcher(line);
        if (entry.find()) {
            name = entry.group(1);
            code = new ArrayList<>();
            labels = new HashMap<>();
        }
        if (line.startsWith("}") && !name.isEmpty()) {
            kernels.add(new PtxKernel(name, code, labels));
            name = "";
        }
        if (name.isEmpty()) {
            return;
        }
        Matcher named = MARK.matcher(line);
        if (named.find()) {
            mark = named.group(1);
        }
        String rest = line.replaceFirst("//.*", "").strip();
        Matcher label = LABEL.matcher(rest);
        if (label.matches()) {
            labels.put(label.group(1), code.size());
            return;
        }
        statement.append(rest).append(' ');
        int end;
        while ((end = statement.indexOf(";")) >= 0) {
            add(statement.substring(0, end).replaceFirst("^[\\s{}]+", "").strip(), number);
            statement.delete(0, end + 1);
        }
    }

    private void add(String text, int line) {
        Matcher parts = INSTRUCTION.matcher(text);
        if (!parts.matches()) {
            return; // a directive
        }
        PtxInstruction plain = new PtxInstruction(
                line, parts.group(1) != null, parts.group(2), parts.group(3).strip(), "");
        if (!mark.isEmpty() && plain.accessesGlobalMemory()) {
            plain = new PtxInstruction(line, plain.guarded(), plain.opcode(), plain.operands(), mark);
            mark = "";
        }
        code.add(plain);
    }
}
