package io.lockstep.litmus.file;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToLongFunction;

/** The condition over final values: comparisons, and, or, not. A name is {@code P0:r1} or a location. */
sealed interface Condition {
    /** Whether it holds, given the value of every name. */
    boolean holds(ToLongFunction<String> values);

    /** Puts the names into a set. */
    void collect(Set<String> names);

    /** The names in it. */
    default Set<String> names() {
        Set<String> names = new TreeSet<>();
        collect(names);
        return names;
    }

    /** Two operands, equal or not. */
    record Comparison(String left, boolean equal, String right) implements Condition {
        @Override
        public boolean holds(ToLongFunction<String> values) {
            return (value(left, values) == value(right, values)) == equal;
        }

        private static long value(String operand, ToLongFunction<String> values) {
            return operand.matches(Instruction.NUMBER) ? Long.parseLong(operand) : values.applyAsLong(operand);
        }

        @Override
        public void collect(Set<String> names) {
            for (String operand : List.of(left, right)) {
                if (!operand.matches(Instruction.NUMBER)) {
                    names.add(operand);
                }
            }
        }
    }

    /** All of them, or any of them. */
    record Junction(boolean all, List<Condition> parts) implements Condition {
        @Override
        public boolean holds(ToLongFunction<String> values) {
            return all
                    ? parts.stream().allMatch(part -> part.holds(values))
                    : parts.stream().anyMatch(part -> part.holds(values));
        }

        @Override
        public void collect(Set<String> names) {
            parts.forEach(part -> part.collect(names));
        }
    }

    /** The opposite. */
    record Not(Condition of) implements Condition {
        @Override
        public boolean holds(ToLongFunction<String> values) {
            return !of.holds(values);
        }

        @Override
        public void collect(Set<String> names) {
            of.collect(names);
        }
    }

    /** Reads a condition. */
    static Condition parse(String text) {
        String spaced = text.replace("/\\", " & ")
                .replace("\\/", " | ")
                .replace("==", " = ")
                .replace("!=", " # ")
                .replaceAll("([()~])", " $1 ")
                .replaceAll("(?<![=!])=(?!=)", " = ")
                .replace("%", "")
                .trim();
        return new Parser(spaced.split("\\s+")).parse();
    }

    /** Or binds weaker than and. */
    final class Parser {
        private final String[] tokens;
        private int next;

        private Parser(String[] tokens) {
            this.tokens = tokens;
        }

        private Condition parse() {
            Condition condition = junction(false);
            if (next != tokens.length) {
                throw new UnsupportedLitmusException("the condition at '" + tokens[next] + "'");
            }
            return condition;
        }

        private Condition junction(boolean all) {
            List<Condition> parts = new ArrayList<>();
            do {
                parts.add(all ? unary() : junction(true));
            } while (accept(all ? "&" : "|"));
            return parts.size() == 1 ? parts.getFirst() : new Junction(all, List.copyOf(parts));
        }

        private Condition unary() {
            if (accept("~")) {
                return new Not(unary());
            }
            if (accept("(")) {
                Condition inner = junction(false);
                if (!accept(")")) {
                    throw new UnsupportedLitmusException("the brackets of the condition");
                }
                return inner;
            }
            String left = take();
            String comparison = take();
            if (!comparison.equals("=") && !comparison.equals("#")) {
                throw new UnsupportedLitmusException("the comparison '" + comparison + "' in the condition");
            }
            return new Comparison(operand(left), comparison.equals("="), operand(take()));
        }

        private static String operand(String token) {
            if (!token.matches(Instruction.NUMBER + "|(P\\d+:)?" + Instruction.NAME)) {
                throw new UnsupportedLitmusException("'" + token + "' in the condition");
            }
            return token;
        }

        private boolean accept(String token) {
            if (next < tokens.length && tokens[next].equals(token)) {
                next++;
                return true;
            }
            return false;
        }

        private String take() {
            if (next == tokens.length) {
                throw new UnsupportedLitmusException("the end of the condition");
            }
            return tokens[next++];
        }
    }
}
