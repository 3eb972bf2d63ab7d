package io.lockstep.gpu.inspect;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The kernels of an assembly listing, from the compiler ({@code -S}) or from {@code llvm-objdump -d
 * --symbolize-operands}.
 */
final class AmdgcnListing {
    private static final Pattern LABEL = Pattern.compile("^\\s*(?:[0-9a-f]+ )?<?([.$\\w]+)>?:\\s*(?:[;/].*)?$");
    private static final Pattern MARK = Pattern.compile("ls_mark\\.(.+)\\.\\d+");
    private static final Pattern INSTRUCTION = Pattern.compile("^\\s+([a-z]\\w+)(?:\\s+(.*?))?\\s*$");
    private static final Pattern GROUP =
            Pattern.compile("^\\s+\\.max_flat_workgroup_size: (\\d{1,9})\\s+\\.name: +(\\w+)$", Pattern.MULTILINE);
    private static final Pattern ENCODING = Pattern.compile("_(e32|e64|e64_dpp|dpp|sdwa)$");

    /** Branch targets are indices of instructions. */
    record Kernel(String name, List<AmdgcnInstruction> instructions, Map<String, Integer> labels) {}

    private AmdgcnListing() {}

    static List<Kernel> kernels(String text) {
        Map<String, Kernel> kernels = new LinkedHashMap<>();
        Kernel current = null;
        List<String> marks = new ArrayList<>();
        int line = 0;
        for (String raw : text.split("\n", -1)) {
            line++;
            Matcher label = LABEL.matcher(raw);
            if (label.matches()) {
                String name = label.group(1);
                Matcher mark = MARK.matcher(name);
                if (mark.matches() && current != null) {
                    marks.add(mark.group(1));
                    // A disassembler names a branch's target by it.
                    current.labels().put(name, current.instructions().size());
                } else if (name.startsWith("ls_")) {
                    current = new Kernel(name, new ArrayList<>(), new LinkedHashMap<>());
                    kernels.put(name, current);
                } else if (name.startsWith(".Lfunc_end") || isOtherSymbol(name)) {
                    current = null;
                } else if (current != null) {
                    current.labels().put(name, current.instructions().size());
                }
                continue;
            }
            String code = withoutComment(raw);
            Matcher instruction = INSTRUCTION.matcher(code);
            if (current == null || !instruction.matches()) {
                continue;
            }
            current.instructions().add(instruction(instruction, List.copyOf(marks), line));
            marks.clear();
        }
        return List.copyOf(kernels.values());
    }

    /** The threads of a work-group, at most, of every kernel of a compiler's listing: its end says so. */
    static Map<String, Long> groups(String text) {
        Map<String, Long> groups = new HashMap<>();
        GROUP.matcher(text).results().forEach(found -> groups.put(found.group(2), Long.parseLong(found.group(1))));
        return groups;
    }

    private static boolean isOtherSymbol(String name) {
        return !name.startsWith(".L") && !name.startsWith("L") && !name.startsWith("BB");
    }

    private static String withoutComment(String line) {
        int end = line.length();
        for (String comment : List.of("//", ";")) {
            int at = line.indexOf(comment);
            if (at >= 0) {
                end = Math.min(end, at);
            }
        }
        return line.substring(0, end);
    }

    private static AmdgcnInstruction instruction(Matcher instruction, List<String> marks, int line) {
        String mnemonic = ENCODING.matcher(instruction.group(1)).replaceFirst("");
        String rest = instruction.group(2) == null ? "" : instruction.group(2);
        List<String> operands = new ArrayList<>();
        List<String> modifiers = new ArrayList<>();
        String[] parts = rest.isEmpty() ? new String[0] : rest.split(",\\s*(?![^\\[]*\\])", -1);
        for (int i = 0; i < parts.length; i++) {
            List<String> words = Arrays.asList(parts[i].strip().split("\\s+", -1));
            operands.add(words.getFirst());
            if (i == parts.length - 1 || words.size() > 1) {
                modifiers.addAll(words.subList(1, words.size()));
            }
        }
        // What takes no operand has its modifiers in their place.
        if (mnemonic.startsWith("buffer_") || mnemonic.equals("global_wb") || mnemonic.equals("global_inv")) {
            if (operands.size() == 1) {
                modifiers.addFirst(operands.removeFirst());
            }
        }
        return new AmdgcnInstruction(mnemonic, List.copyOf(operands), List.copyOf(modifiers), marks, line);
    }
}
