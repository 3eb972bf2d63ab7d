package io.lockstep.gpu.inspect;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which accesses go to memory that ranks share: those whose address is made of one of the addresses in the kernel's
 * argument, followed from register to register.
 */
final class PtxAddresses {
    /** Where the argument holds the addresses of the ranks' memory. */
    private static final int MEMORY_BEGIN = 48;

    private static final int MEMORY_END = 112;
    private static final Pattern PARAMETER = Pattern.compile("\\[(%?\\w+)(?:\\+(-?\\d+))?]");
    private static final Pattern NUMBER = Pattern.compile(".*, *(-?\\d+)");

    private final String parameter;
    private final List<PtxInstruction> code;
    /** Registers that point into the argument, with the part of the offset that is known. */
    private final Map<String, Integer> pointers = new HashMap<>();

    private final Set<String> shared = new HashSet<>();

    PtxAddresses(PtxKernel kernel) {
        this.parameter = kernel.name() + "_param_0";
        this.code = kernel.code();
        int known;
        do {
            known = pointers.size() + shared.size();
            code.forEach(this::follow);
        } while (pointers.size() + shared.size() > known);
    }

    boolean isShared(PtxInstruction access) {
        return access.addressRegisters().stream().anyMatch(shared::contains);
    }

    private void follow(PtxInstruction instruction) {
        List<String> written = instruction.written();
        if (written.isEmpty() || instruction.loads()) {
            return;
        }
        if (instruction.opcode().startsWith("ld.param")) {
            Matcher from = PARAMETER.matcher(instruction.operands());
            if (from.find()) {
                int offset = from.group(2) == null ? 0 : Integer.parseInt(from.group(2));
                Integer base = from.group(1).equals(parameter) ? Integer.valueOf(0) : pointers.get(from.group(1));
                if (base != null && base + offset >= MEMORY_BEGIN && base + offset < MEMORY_END) {
                    shared.addAll(written);
                }
            }
            return;
        }
        if (instruction.opcode().startsWith("mov") && instruction.operands().endsWith(parameter)) {
            pointers.putIfAbsent(written.getFirst(), 0);
            return;
        }
        for (String read : instruction.registers()) {
            if (shared.contains(read)) {
                shared.addAll(written);
            }
            Integer base = pointers.get(read);
            if (base != null) {
                Matcher number = NUMBER.matcher(instruction.operands());
                int added = instruction.opcode().startsWith("add") && number.matches()
                        ? Integer.parseInt(number.group(1))
                        : 0;
                written.forEach(register -> pointers.putIfAbsent(register, base + added));
            }
        }
    }
}
