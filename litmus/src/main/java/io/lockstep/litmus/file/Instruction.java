package io.lockstep.litmus.file;

import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Scope;
import java.util.List;
import java.util.Map;

/** One instruction of a litmus test. An operand is a register or a number. */
sealed interface Instruction {
    /** A place to jump to. */
    record Label(String name) implements Instruction {}

    /** Jump if the comparison holds; always, if both operands are the same. */
    record Jump(boolean ifEqual, String left, String right, String label) implements Instruction {}

    /** Set a register. */
    record Move(String register, String operand) implements Instruction {}

    /** Load. */
    record Load(Order order, Scope scope, String register, String location, String text) implements Instruction {}

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
            implements Instruction {}

    /** Fence. */
    record Fence(Order order, Scope scope, String text) implements Instruction {}

    /** Barrier of the work-group. */
    record Barrier(boolean waits, String id, String text) implements Instruction {}

    /** The spelling of orders. */
    Map<String, Order> ORDERS = Map.of(
            "weak", Order.WEAK,
            "relaxed", Order.RELAXED,
            "acquire", Order.ACQUIRE,
            "release", Order.RELEASE,
            "acq_rel", Order.ACQUIRE_RELEASE,
            "sc", Order.SEQUENTIALLY_CONSISTENT);

    /** The spelling of scopes. */
    Map<String, Scope> SCOPES = Map.of("cta", Scope.WORKGROUP, "gpu", Scope.DEVICE, "sys", Scope.SYSTEM);

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
        return switch (name[0]) {
            case "goto" -> new Jump(true, "0", "0", need(operands, 1, trimmed)[0]);
            case "beq" -> new Jump(true, need(operands, 3, trimmed)[0], operands[1], operands[2]);
            case "bne" -> new Jump(false, need(operands, 3, trimmed)[0], operands[1], operands[2]);
            case "mov" -> new Move(need(operands, 2, trimmed)[0], operands[1]);
            case "ld" ->
                name.length == 1
                        ? new Move(need(operands, 2, trimmed)[0], operands[1])
                        : new Load(
                                order(name, trimmed),
                                scope(name, 2, trimmed),
                                need(operands, 2, trimmed)[0],
                                operands[1],
                                trimmed);
            case "st" ->
                new Store(
                        order(name, trimmed),
                        scope(name, 2, trimmed),
                        need(operands, 2, trimmed)[0],
                        operands[1],
                        trimmed);
            case "atom" ->
                new Atomic(
                        order(name, trimmed),
                        scope(name, 2, trimmed),
                        operation(name, operands.length - 2, trimmed),
                        operands[0],
                        operands[1],
                        List.of(operands).subList(2, operands.length),
                        trimmed);
            case "red" ->
                new Atomic(
                        order(name, trimmed),
                        scope(name, 2, trimmed),
                        operation(name, operands.length - 1, trimmed),
                        "",
                        operands[0],
                        List.of(operands).subList(1, operands.length),
                        trimmed);
            case "fence" -> new Fence(order(name, trimmed), scope(name, 2, trimmed), trimmed);
            case "bar", "barrier" -> barrier(name, operands, trimmed);
            default -> throw new UnsupportedLitmusException("the instruction '" + trimmed + "'");
        };
    }

    private static Barrier barrier(String[] name, String[] operands, String text) {
        String kind = name[name.length - 1];
        boolean known = kind.equals("sync") || kind.equals("arrive");
        if (!known || operands.length != 1 || !operands[0].matches("\\d+")) {
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

    private static Order order(String[] name, String text) {
        Order order = name.length > 1 ? ORDERS.get(name[1]) : null;
        if (order == null) {
            throw new UnsupportedLitmusException("the order of '" + text + "'");
        }
        return order;
    }

    private static Scope scope(String[] name, int index, String text) {
        if (name.length > 1 && name[1].equals("weak")) {
            return Scope.SYSTEM;
        }
        Scope scope = name.length > index ? SCOPES.get(name[index]) : null;
        if (scope == null) {
            throw new UnsupportedLitmusException("the scope of '" + text + "'");
        }
        return scope;
    }

    private static String operation(String[] name, int operands, String text) {
        String operation = name[name.length - 1];
        int needed = switch (operation) {
            case "plus", "add", "exch" -> 1;
            case "cas" -> 2;
            default -> -1;
        };
        if (needed != operands) {
            throw new UnsupportedLitmusException("the atomic '" + text + "'");
        }
        return operation;
    }
}
