package io.lockstep.litmus.file;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A litmus test as it is written: a name, initial values, one column of instructions for each thread, and a condition.
 *
 * @param name the test's name
 * @param initial the initial value of each location
 * @param threads the threads
 * @param quantifier what is said of the condition
 * @param condition over final values
 */
public record LitmusFile(
        String name, Map<String, Long> initial, List<Column> threads, Quantifier quantifier, Condition condition) {

    /** What a test says of its condition. */
    public enum Quantifier {
        /** Some execution satisfies it. */
        EXISTS,
        /** None does. */
        NOT_EXISTS,
        /** Every one does. */
        FORALL
    }

    /** One thread: its name, where it runs, the initial value of its registers, its instructions. */
    public record Column(
            String name, int workgroup, int device, Map<String, Long> registers, List<Instruction> instructions) {
        /** Whether it gives a register a value. */
        boolean has(String register) {
            return registers.containsKey(register)
                    || instructions.stream()
                            .anyMatch(instruction -> instruction.sets().equals(register));
        }
    }

    private static final Pattern WHOLE = Pattern.compile(
            "\\s*PTX\\s+(?<name>\\S+)\\s*(?<comment>[^{]*)\\{(?<init>[^}]*)\\}(?<table>.*?)"
                    + "(?<quantifier>~\\s*exists|exists|forall)(?<condition>.*)",
            Pattern.DOTALL);
    private static final Pattern PLACE =
            Pattern.compile("\\s*(?<name>P\\d+)\\s*@\\s*cta\\s+(?<cta>\\d{1,3})\\s*,\\s*gpu\\s+(?<gpu>\\d{1,3})\\s*");
    private static final Pattern ASSIGNMENT = Pattern.compile(
            "\\s*(?:(?<thread>P\\d+)\\s*:)?\\s*%?(?<name>\\w+)\\s*=\\s*(?<value>" + Instruction.NUMBER + ")\\s*");

    /**
     * Reads a test.
     *
     * @throws UnsupportedLitmusException if it is no PTX litmus test, or uses what is left out
     */
    public static LitmusFile parse(String text) {
        Matcher whole = WHOLE.matcher(text.replaceAll("//[^\\n]*|\\(\\*.*?\\*\\)", ""));
        if (!whole.matches()) {
            throw new UnsupportedLitmusException("a file that is no PTX litmus test");
        }
        Map<String, Long> initial = new LinkedHashMap<>();
        Map<String, Map<String, Long>> registers = new LinkedHashMap<>();
        for (String part : whole.group("init").split(";", -1)) {
            if (!part.isBlank()) {
                assign(part, initial, registers);
            }
        }
        List<String> rows = new ArrayList<>();
        for (String row : whole.group("table").split(";", -1)) {
            if (!row.isBlank()) {
                rows.add(row);
            }
        }
        if (rows.isEmpty()) {
            throw new UnsupportedLitmusException("a test without threads");
        }
        List<Column> threads = columns(rows, registers);
        String quantifier = whole.group("quantifier");
        Condition condition = Condition.parse(whole.group("condition"));
        condition.names().forEach(name -> known(name, initial, threads));
        return new LitmusFile(
                whole.group("name"),
                initial,
                threads,
                quantifier.equals("exists")
                        ? Quantifier.EXISTS
                        : quantifier.equals("forall") ? Quantifier.FORALL : Quantifier.NOT_EXISTS,
                condition);
    }

    /** Refuses a condition on something that is nowhere: it would hold or fail for no reason. */
    private static void known(String name, Map<String, Long> initial, List<Column> threads) {
        int colon = name.indexOf(':');
        boolean there = colon < 0
                ? initial.containsKey(name)
                        || threads.stream()
                                .flatMap(thread -> thread.instructions().stream())
                                .anyMatch(instruction -> instruction.location().equals(name))
                : threads.stream()
                        .filter(thread -> thread.name().equals(name.substring(0, colon)))
                        .anyMatch(thread -> thread.has(name.substring(colon + 1)));
        if (!there) {
            throw new UnsupportedLitmusException("'" + name + "' in the condition, which the test does not have");
        }
    }

    private static void assign(String part, Map<String, Long> initial, Map<String, Map<String, Long>> registers) {
        Matcher assignment = ASSIGNMENT.matcher(part);
        if (!assignment.matches()) {
            throw new UnsupportedLitmusException("the initial value '" + part.trim() + "'");
        }
        long value = Long.parseLong(assignment.group("value"));
        String thread = assignment.group("thread");
        if (thread == null) {
            initial.put(assignment.group("name"), value);
        } else {
            registers.computeIfAbsent(thread, key -> new LinkedHashMap<>()).put(assignment.group("name"), value);
        }
    }

    private static List<Column> columns(List<String> rows, Map<String, Map<String, Long>> registers) {
        List<Column> columns = new ArrayList<>();
        for (String cell : rows.getFirst().split("\\|", -1)) {
            Matcher place = PLACE.matcher(cell);
            if (!place.matches()) {
                throw new UnsupportedLitmusException("the thread '" + cell.trim() + "'");
            }
            String name = place.group("name");
            if (columns.stream().anyMatch(other -> other.name().equals(name))) {
                throw new UnsupportedLitmusException("two threads called " + name);
            }
            columns.add(new Column(
                    name,
                    Integer.parseInt(place.group("cta")),
                    Integer.parseInt(place.group("gpu")),
                    registers.getOrDefault(name, Map.of()),
                    new ArrayList<>()));
        }
        for (String row : rows.subList(1, rows.size())) {
            String[] cells = row.split("\\|", -1);
            if (cells.length > columns.size()) {
                throw new UnsupportedLitmusException("a row of " + cells.length + " instructions for " + columns.size()
                        + (columns.size() == 1 ? " thread" : " threads"));
            }
            for (int i = 0; i < cells.length; i++) {
                if (!cells[i].isBlank()) {
                    columns.get(i).instructions().add(Instruction.parse(cells[i].replace("%", "")));
                }
            }
        }
        return columns;
    }
}
