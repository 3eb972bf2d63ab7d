package io.lockstep.gpu.inspect;

import io.lockstep.gpu.inspect.AmdgcnEffect.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a kernel's scalar loads read. Their cache is invalidated when a kernel begins and not by an acquire: they may
 * read the arguments, the dispatch packet and the rank's own state, which no one else writes meanwhile. The addresses
 * are followed through copies and spills; one that is lost counts as one of data.
 */
final class AmdgcnScalarLoads {
    private static final Pattern REGISTERS = Pattern.compile("s(?:(\\d+)|\\[(\\d+):(\\d+)])");
    private static final Pattern NUMBER = Pattern.compile("0x[0-9a-f]+|\\d+");

    /** Holds half of the address of the arguments, or of the dispatch packet, with nothing added. */
    private static final int GIVEN = -1;

    /** Holds half of an address within the arguments: one of them that is an array is indexed. */
    private static final int WITHIN = -3;

    /** Holds something else. */
    private static final int OTHER = -2;

    /** Registers that the hardware fills when a wave starts, at most. */
    private static final int FILLED = 16;

    private static final int SCALAR_REGISTERS = 128;

    private final AmdgcnListing.Kernel kernel;
    private final List<AmdgcnEffect> effects;
    private final AmdgcnFlow flow;
    private final long stateArgument;

    /** Lanes of vector registers that scalar ones are spilled to, numbered behind those. */
    private final Map<String, Integer> lanes = new HashMap<>();

    private final Map<Integer, IsaFinding> findings = new TreeMap<>();

    /** @param stateArgument the offset of the one pointer among the arguments that scalar loads may follow */
    AmdgcnScalarLoads(AmdgcnListing.Kernel kernel, List<AmdgcnEffect> effects, AmdgcnFlow flow, long stateArgument) {
        this.kernel = kernel;
        this.effects = effects;
        this.flow = flow;
        this.stateArgument = stateArgument;
        for (AmdgcnInstruction instruction : kernel.instructions()) {
            if (instruction.mnemonic().equals("v_writelane_b32")) {
                lanes.putIfAbsent(lane(instruction, 0), SCALAR_REGISTERS + lanes.size());
            }
        }
    }

    List<IsaFinding> findings() {
        int count = kernel.instructions().size();
        int[][] known = new int[count][];
        int[] entry = new int[SCALAR_REGISTERS + lanes.size()];
        Arrays.fill(entry, OTHER);
        Arrays.fill(entry, 0, FILLED, GIVEN);
        ArrayDeque<Integer> open = new ArrayDeque<>();
        if (count > 0) {
            known[0] = entry;
            open.add(0);
        }
        while (!open.isEmpty()) {
            int at = open.remove();
            int[] after = known[at].clone();
            step(at, after);
            for (int to : flow.next(at)) {
                if (known[to] == null) {
                    known[to] = after.clone();
                    open.add(to);
                } else if (join(known[to], after)) {
                    open.add(to);
                }
            }
        }
        return List.copyOf(findings.values());
    }

    private static boolean join(int[] known, int[] other) {
        boolean changed = false;
        for (int i = 0; i < known.length; i++) {
            if (known[i] != other[i] && known[i] != OTHER) {
                known[i] = OTHER;
                changed = true;
            }
        }
        return changed;
    }

    private void step(int at, int[] holds) {
        AmdgcnInstruction instruction = kernel.instructions().get(at);
        String name = instruction.mnemonic();
        if (effects.get(at).kind() == Kind.SCALAR_LOAD) {
            load(at, instruction, holds);
        } else if (name.startsWith("s_mov_b")) {
            List<Integer> sources = registers(instruction.operand(1));
            List<Integer> targets = registers(instruction.operand(0));
            int[] before = holds.clone();
            for (int i = 0; i < targets.size(); i++) {
                holds[targets.get(i)] = i < sources.size() ? before[sources.get(i)] : OTHER;
            }
        } else if (name.equals("v_writelane_b32")) {
            List<Integer> source = registers(instruction.operand(1));
            int lane = Objects.requireNonNull(lanes.get(lane(instruction, 0)));
            holds[lane] = source.isEmpty() ? OTHER : holds[source.getFirst()];
        } else if (name.equals("v_readlane_b32")) {
            Integer lane = lanes.get(lane(instruction, 1));
            registers(instruction.operand(0)).forEach(target -> holds[target] = lane == null ? OTHER : holds[lane]);
        } else if (name.matches("s_(add|addc|lshl\\d_add)_.*")) {
            boolean within = instruction.operands().stream()
                    .skip(1)
                    .flatMap(operand -> registers(operand).stream())
                    .anyMatch(source -> holds[source] == GIVEN || holds[source] == WITHIN);
            registers(instruction.operand(0)).forEach(target -> holds[target] = within ? WITHIN : OTHER);
        } else if (!name.startsWith("s_cmp_") && !name.startsWith("s_bitcmp")) {
            // Whatever else names a scalar register first may write it; so may a comparison or a carry its second one.
            registers(instruction.operand(0)).forEach(target -> holds[target] = OTHER);
            if (name.contains("_co_") || name.startsWith("v_div_scale")) {
                registers(instruction.operand(1)).forEach(target -> holds[target] = OTHER);
            }
        }
    }

    private void load(int at, AmdgcnInstruction instruction, int[] holds) {
        List<Integer> address = registers(instruction.operand(1));
        int base = address.isEmpty() ? OTHER : holds[address.getFirst()];
        if (base != GIVEN && base != WITHIN && base != stateArgument) {
            String where = base == OTHER
                    ? "an address that was computed or loaded"
                    : "the pointer at " + base + " of the arguments";
            findings.put(
                    at,
                    new IsaFinding(
                            AmdgcnRule.SCALAR_LOAD,
                            kernel.name(),
                            instruction.line(),
                            "'" + instruction + "' reads through " + where + "."));
        }
        String offset = instruction.operand(2);
        boolean plain = base == GIVEN && NUMBER.matcher(offset).matches();
        List<Integer> targets = registers(instruction.operand(0));
        for (int i = 0; i < targets.size(); i++) {
            holds[targets.get(i)] = plain ? Integer.decode(offset) + 4 * i : OTHER;
        }
    }

    private static String lane(AmdgcnInstruction instruction, int operand) {
        return instruction.operand(operand) + "." + instruction.operand(operand == 0 ? 2 : operand + 1);
    }

    private static List<Integer> registers(String operand) {
        Matcher matcher = REGISTERS.matcher(operand);
        if (!matcher.matches()) {
            return List.of();
        }
        int first = Integer.parseInt(matcher.group(matcher.group(1) == null ? 2 : 1));
        int last = matcher.group(1) == null ? Integer.parseInt(matcher.group(3)) : first;
        List<Integer> all = new ArrayList<>();
        for (int i = first; i <= last && i < SCALAR_REGISTERS; i++) {
            all.add(i);
        }
        return all;
    }
}
