package io.lockstep.gpu.inspect;

import java.util.List;
import java.util.regex.Pattern;

/**
 * One instruction.
 *
 * @param line of the text, from 1
 * @param guarded whether it depends on a predicate
 * @param opcode with all that follows a dot
 * @param operands as written
 * @param mark what the kernels call this access; empty for most
 */
record PtxInstruction(int line, boolean guarded, String opcode, String operands, String mark) {
    private static final Pattern REGISTER = Pattern.compile("%[a-z]+\\d+");
    private static final Pattern FENCE = Pattern.compile("fence\\.(release|acquire|acq_rel|sc)\\..*");
    private static final Pattern BLOCK_BARRIER = Pattern.compile("(bar|barrier)(\\.cta)?\\.(sync|red)\\b.*");

    boolean jumps() {
        return opcode.startsWith("bra") || opcode.startsWith("brx");
    }

    boolean ends() {
        return opcode.equals("ret") || opcode.equals("exit") || opcode.equals("trap");
    }

    boolean fences() {
        return FENCE.matcher(opcode).matches();
    }

    /** Whether it is a fence with which everything before is released to the system. */
    boolean releasesToTheSystem() {
        return opcode.matches("fence\\.(release|acq_rel|sc)\\.sys");
    }

    boolean acquiresFromTheSystem() {
        return opcode.matches("fence\\.(acquire|acq_rel|sc)\\.sys");
    }

    /** Whether all threads of the block meet here: barrier 0. */
    boolean isBlockBarrier() {
        return BLOCK_BARRIER.matcher(opcode).matches()
                && operands.replaceFirst("^[%\\w]+\\|?[%\\w]*, *(?=\\d)", "").startsWith("0");
    }

    boolean accessesGlobalMemory() {
        return loads() || stores();
    }

    boolean loads() {
        return opcode.startsWith("ld.") && opcode.contains(".global");
    }

    boolean stores() {
        return opcode.startsWith("st.") && opcode.contains(".global");
    }

    /** An access that is not atomic. */
    boolean isWeak() {
        return !opcode.contains(".relaxed.") && !opcode.contains(".acquire.") && !opcode.contains(".release.");
    }

    /** The registers between the brackets of an access. */
    List<String> addressRegisters() {
        int open = operands.indexOf('[');
        return open < 0 ? List.of() : registers(operands.substring(open, operands.indexOf(']', open)));
    }

    /** The registers that it writes: those of the first operand, in front of any address. */
    List<String> written() {
        if (opcode.startsWith("st.") || jumps() || operands.isEmpty()) {
            return List.of();
        }
        String first =
                operands.startsWith("{") ? operands.substring(0, operands.indexOf('}')) : operands.split(",", 2)[0];
        return registers(first);
    }

    /** All of its registers. */
    List<String> registers() {
        return registers(operands);
    }

    private static List<String> registers(String text) {
        return REGISTER.matcher(text).results().map(match -> match.group()).toList();
    }
}
