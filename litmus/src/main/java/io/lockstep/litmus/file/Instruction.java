package io.lockstep.litmus.file;

import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Scope;
import java.util.List;
import java.util.Map;

/** One instruction of a litmus test. An operand is a register or a number. */
sealed interface Instruction {
    /** The location that it accesses; empty if none. */
    default String location() {
        return "";
    }

    /** The register that it sets; empty if none. */
    default String sets() {
        return "";
    }

    /** A place to jump to. */
    record Label(String name) implements Instruction {}

    /** Jump if the comparison holds; always, if both operands are the same. */
    record Jump(boolean ifEqual, String left, String right, String label) implements Instruction {}

    /** Set a register. */
    record Move(String register, String operand) implements Instruction {
        @Override
        public String sets() {
            return register;
        }
    }

    /** Load. */
    record Load(Order order, Scope scope, String register, String location, String text) implements Instruction {
        @Override
        public String sets() {
            return register;
        }
    }

    /** Store. */
    record Store(Order order, Scope scope, String location, String operand, String text) implements Instruction {}

    /** Read, compute and write at once; the register is empty if the old value is not kept. */
    record Atomic(
            Order order,
            Scope scope,
            String operation,
            String register,
            String location,
            List<String> operands,
            String text)
            implements Instruction {
        @Override
        public String sets() {
            return register;
        }
    }

    /** Fence. */
    record Fence(Order order, Scope scope, String text) implements Instruction {}

    /** Barrier of the work-group. */
    record Barrier(boolean waits, String id, String text) implements Instruction {}

    /** The spelling of scopes. */
    Map<String, Scope> SCOPES = Map.of("cta", Scope.WORKGROUP, "gpu", Scope.DEVICE, "sys", Scope.SYSTEM);

    /** The orders that a load can have. */
    List<Order> LOADS = List.of(Order.WEAK, Order.RELAXED, Order.ACQUIRE);

    /** The orders that a store can have. */
    List<Order> STORES = List.of(Order.WEAK, Order.RELAXED, Order.RELEASE);

    /** The orders that an atomic read-modify-write can have. */
    List<Order> ATOMICS = List.of(Order.RELAXED, Order.ACQUIRE, Order.RELEASE, Order.ACQUIRE_RELEASE);

    /** The orders that a fence can have. */
    List<Order> FENCES = List.of(Order.ACQUIRE, Order.RELEASE, Order.ACQUIRE_RELEASE, Order.SEQUENTIALLY_CONSISTENT);

    /** A number that a word can hold. */
    String NUMBER = "-?\\d{1,18}";

    /** The name of a register or a location. */
    String NAME = "[A-Za-z_]\\w*";

    /** Reads one instruction; a label with its colon too. */
    static Instruction parse(String text) {
        String trimmed = text.trim();
        if (trimmed.endsWith(":")) {
            return new Label(trimmed.substring(0, trimmed.length() - 1));
        }
        int space = trimmed.indexOf(' ');
        String[] name = (space < 0 ? trimmed : trimmed.substring(0, space)).split("\\.", -1);
        String[] operands =
                space < 0 ? new String[0] : trimmed.substring(space).trim().split("\\s*,\\s*", -1);
        for (String operand : operands) {
            if (!operand.matches(NUMBER + "|" + NAME)) {
                throw new UnsupportedLitmusException("the operand '" + operand + "' of '" + trimmed + "'");
            }
        }
        return switch (name[0]) {
            case "goto" -> new Jump(true, "0", "0", need(operands, 1, trimmed)[0]);
            case "beq" -> new Jump(true, need(operands, 3, trimmed)[0], operands[1], operands[2]);
            case "bne" -> new Jump(false, need(operands, 3, trimmed)[0], operands[1], operands[2]);
            case "mov" -> new Move(need(operands, 2, trimmed)[0], operands[1]);
            case "ld" -> {
                need(operands, 2, trimmed);
                yield name.length == 1 || operands[1].matches(NUMBER)
                        ? new Move(operands[0], operands[1])
                        : new Load(
                                order(name, trimmed, LOADS),
                                scope(name, 3, trimmed),
                                operands[0],
                                operands[1],
                                trimmed);
            }
            case "st" ->
                new Store(
                        order(name, trimmed, STORES),
                        scope(name, 3, trimmed),
                        location(need(operands, 2, trimmed)[0], trimmed),
                        operands[1],
                        trimmed);
            case "atom" ->
                new Atomic(
                        order(name, trimmed, ATOMICS),
                        scope(name, 4, trimmed),
                        operation(name, operands.length - 2, trimmed),
                        operands[0],
                        location(operands[1], trimmed),
                        List.of(operands).subList(2, operands.length),
                        trimmed);
            case "red" ->
                new Atomic(
                        order(name, trimmed, ATOMICS),
                        scope(name, 4, trimmed),
                        operation(name, operands.length - 1, trimmed),
                        "",
                        location(operands[0], trimmed),
                        List.of(operands).subList(1, operands.length),
                        trimmed);
            case "fence" -> new Fence(order(name, trimmed, FENCES), scope(name, 3, trimmed), trimmed);
            case "bar", "barrier" -> barrier(name, operands, trimmed);
            default -> throw new UnsupportedLitmusException("the instruction '" + trimmed + "'");
        };
    }

    private static Barrier barrier(String[] name, String[] operands, String text) {
        String kind = name[name.length - 1];
        boolean known = kind.equals("sync") || kind.equals("arrive");
        if (!known || operands.length != 1 || !operands[0].matches("\\d{1,2}")) {
            throw new UnsupportedLitmusException(
                    "the barrier '" + text + "': its id must be a number, and stand alone");
        }
        return new Barrier(kind.equals("sync"), operands[0], text);
    }

    private static String[] need(String[] operands, int count, String text) {
        if (operands.length != count) {
            throw new UnsupportedLitmusException("the operands of '" + text + "'");
        }
        return operands;
    }

    private static String location(String operand, String text) {
        if (!operand.matches(NAME)) {
            throw new UnsupportedLitmusException("the address '" + operand + "' of '" + text + "'");
        }
        return operand;
    }

    /** The order: one of those that the instruction can have. */
    private static Order order(String[] name, String text, List<Order> possible) {
        for (Order order : possible) {
            if (name.length > 1 && name[1].equals(order.label())) {
                return order;
            }
        }
        throw new UnsupportedLitmusException("the order of '" + text + "'");
    }

    /** The scope, in an instruction whose name has so many parts at most: a type or a width is no part of it. */
    private static Scope scope(String[] name, int parts, String text) {
        Scope scope = name.length > 2 ? SCOPES.get(name[2]) : null;
        boolean weak = name[1].equals(Order.WEAK.label());
        if (name.length > parts || (scope == null && !(weak && name.length == 2))) {
            throw new UnsupportedLitmusException("the scope, or what follows it, of '" + text + "'");
        }
        return scope == null ? Scope.SYSTEM : scope;
    }

    private static String operation(String[] name, int operands, String text) {
        String operation = name[name.length - 1];
        int needed = switch (operation) {
            case "plus", "add", "minus", "sub", "exch" -> 1;
            case "cas" -> 2;
            default -> -1;
        };
        if (needed != operands) {
            throw new UnsupportedLitmusException("the atomic '" + text + "'");
        }
        return operation;
    }
}
