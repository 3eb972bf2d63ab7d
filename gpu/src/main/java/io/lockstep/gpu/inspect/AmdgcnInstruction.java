package io.lockstep.gpu.inspect;

import java.util.List;

/**
 * One instruction of a listing.
 *
 * @param mnemonic without the ending that names its encoding
 * @param operands separated by commas in the listing; the last one may be followed by modifiers, which are apart
 * @param modifiers what follows the operands: {@code off offset:1024 sc0 sc1}
 * @param marks the places that it is the first instruction of, such as {@code store.START}
 * @param line of the listing, from 1
 */
record AmdgcnInstruction(String mnemonic, List<String> operands, List<String> modifiers, List<String> marks, int line) {
    boolean has(String modifier) {
        return modifiers.contains(modifier);
    }

    String operand(int index) {
        return index < operands.size() ? operands.get(index) : "";
    }

    @Override
    public String toString() {
        return (mnemonic + " " + String.join(", ", operands) + " " + String.join(" ", modifiers)).strip();
    }
}
