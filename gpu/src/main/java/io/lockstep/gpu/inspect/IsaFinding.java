package io.lockstep.gpu.inspect;

/**
 * One place where compiled code breaks a rule.
 *
 * @param rule which
 * @param kernel the entry point
 * @param line of the listing, from 1; 0 where it is of the whole
 * @param text a sentence
 */
public record IsaFinding(IsaRule rule, String kernel, int line, String text) {
    @Override
    public String toString() {
        return kernel + (line == 0 ? "" : ", line " + line) + ": " + rule.label() + ": " + text;
    }
}
