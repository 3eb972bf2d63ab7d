package io.lockstep.litmus.sim;

import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.protocol.Buffer;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Step;
import io.lockstep.core.reference.Elements;
import io.lockstep.core.reference.Reference;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The tensor: which line belongs to which row, which versions made up a row that saw a wrong line, and the numbers that
 * come of it, by the specification and in bf16, from values that are a hash of rank, call, row and column.
 */
final class Rows {
    private static final int BYTES_OF_LINE = 128;
    private static final int ELEMENTS_OF_LINE = BYTES_OF_LINE / 2;
    /** So many calls back a stale line may come from: more than a buffer has copies. */
    private static final int REMEMBERED = 16;

    private static final int RESIDUAL = -1;

    /** What came of a call. */
    record Outcome(long wrongRows, SimulationResult.@Nullable FirstBad firstBad, double maxAbsError) {}

    /** What was seen in one call, where it was wrong. */
    private static final class Call {
        final BitSet[] wrong;
        /** By device and line, the version from each source. */
        final Map<Long, int[]> seen = new HashMap<>();
        /** Two-shot: by line, the versions of the inputs that its owner added. */
        final Map<Integer, int[]> mixtures = new HashMap<>();

        Call(int devices) {
            wrong = new BitSet[devices];
            Arrays.setAll(wrong, device -> new BitSet());
        }
    }

    private final Simulation simulation;
    private final int devices;
    private final int linesOfRow;
    private final List<Buffer> buffers;
    private final Operation operation;
    private final TreeMap<Integer, Call> calls = new TreeMap<>();

    Rows(Simulation simulation) {
        this.simulation = simulation;
        this.devices = simulation.devices();
        this.linesOfRow = (simulation.hidden() + ELEMENTS_OF_LINE - 1) / ELEMENTS_OF_LINE;
        this.buffers = buffers(simulation.protocol());
        this.operation = Operation.allReduceResidualRmsNorm(DType.BF16, simulation.hidden(), simulation.tokens());
    }

    /** One buffer makes a protocol one-shot; two make it two-shot, the inputs first and then the sums. */
    private static List<Buffer> buffers(Protocol protocol) {
        Set<Buffer> found = new LinkedHashSet<>();
        for (Step step : protocol.steps()) {
            if (step instanceof Step.WriteData write) {
                found.add(write.buffer());
            } else if (step instanceof Step.SendWords send) {
                found.add(send.words());
            }
        }
        return List.copyOf(found);
    }

    /** The way of a buffer's lines. */
    Routes routes(Buffer buffer) {
        Routes.Kind kind = buffers.size() == 1
                ? Routes.Kind.ALL_TO_ALL
                : buffers.indexOf(buffer) == 0 ? Routes.Kind.TO_OWNER : Routes.Kind.FROM_OWNER;
        return new Routes(kind, devices, simulation.tokens(), linesOfRow);
    }

    /** A load returned another version than its call's. */
    void saw(Routes routes, int iteration, int reader, int writer, int line, int version) {
        Call call = calls.computeIfAbsent(iteration, number -> new Call(devices));
        int row = line / linesOfRow;
        switch (routes.kind()) {
            case ALL_TO_ALL -> see(call, iteration, reader, line, writer, version);
            case FROM_OWNER -> see(call, iteration, reader, line, 0, version);
            case TO_OWNER -> {
                call.mixtures.computeIfAbsent(line, key -> versions(iteration))[writer] = version;
                for (BitSet wrong : call.wrong) {
                    wrong.set(row);
                }
            }
        }
    }

    private void see(Call call, int iteration, int reader, int line, int source, int version) {
        call.wrong[reader].set(line / linesOfRow);
        call.seen.computeIfAbsent(key(reader, line), key -> versions(iteration))[source] = version;
    }

    private int[] versions(int version) {
        int[] versions = new int[devices];
        Arrays.fill(versions, version);
        return versions;
    }

    private static long key(int device, int line) {
        return ((long) device << 32) | line;
    }

    /** What came of a call, once no device still reads for it. */
    Outcome outcome(int iteration) {
        calls.headMap(iteration - REMEMBERED).clear();
        Call call = calls.get(iteration);
        if (call == null && !simulation.full()) {
            return new Outcome(0, null, 0);
        }
        Call known = call == null ? new Call(devices) : call;
        long wrong = 0;
        SimulationResult.FirstBad first = null;
        for (int device = 0; device < devices; device++) {
            wrong += known.wrong[device].cardinality();
            if (first == null && !known.wrong[device].isEmpty()) {
                first = new SimulationResult.FirstBad(iteration - 1, device, known.wrong[device].nextSetBit(0));
            }
        }
        return new Outcome(wrong, first, worstError(iteration, known));
    }

    /** The greatest error over the rows that saw a wrong line, or over all. */
    private double worstError(int iteration, Call call) {
        double worst = 0;
        int hidden = simulation.hidden();
        float[][] inputs = new float[devices][hidden];
        float[][] mixed = new float[devices][hidden];
        float[] residual = new float[hidden];
        float[] weight = new float[hidden];
        Arrays.fill(weight, 1);
        float[] right = new float[hidden];
        float[] got = new float[hidden];
        int[] versions = versions(iteration);
        for (int row = 0; row < simulation.tokens(); row++) {
            if (!simulation.full() && !anyWrong(call, row)) {
                continue;
            }
            for (int line = row * linesOfRow; line < (row + 1) * linesOfRow; line++) {
                fill(inputs, line, versions);
                value(RESIDUAL, iteration, line, residual);
            }
            Reference.row(operation, inputs, residual, weight, null, null, right);
            for (int device = 0; device < devices; device++) {
                if (!simulation.full() && !call.wrong[device].get(row)) {
                    continue;
                }
                for (int rank = 0; rank < devices; rank++) {
                    System.arraycopy(inputs[rank], 0, mixed[rank], 0, hidden);
                }
                for (int line = row * linesOfRow; line < (row + 1) * linesOfRow; line++) {
                    int[] from = sources(iteration, call, device, line);
                    if (from != null) {
                        fill(mixed, line, from);
                    }
                }
                Reference.row(operation, mixed, residual, weight, null, null, got);
                for (int column = 0; column < hidden; column++) {
                    worst = Math.max(worst, Math.abs((double) got[column] - right[column]));
                }
            }
        }
        return worst;
    }

    private static boolean anyWrong(Call call, int row) {
        for (BitSet wrong : call.wrong) {
            if (wrong.get(row)) {
                return true;
            }
        }
        return false;
    }

    /** The versions of the inputs that make up a line as a device has it; null where all are the call's own. */
    private int @Nullable [] sources(int iteration, Call call, int device, int line) {
        int[] own = call.seen.get(key(device, line));
        if (buffers.size() == 1) {
            return own;
        }
        int version = own == null ? iteration : own[0];
        Call summed = calls.get(version);
        int[] mixture = summed == null ? null : summed.mixtures.get(line);
        if (mixture != null) {
            return mixture;
        }
        return version == iteration ? null : versions(version);
    }

    private void fill(float[][] inputs, int line, int[] versions) {
        for (int rank = 0; rank < devices; rank++) {
            value(rank, versions[rank], line, inputs[rank]);
        }
    }

    /** One line of a rank's input, or of the residual; before the first call everything is zero. */
    private void value(int rank, int version, int line, float[] into) {
        int row = line / linesOfRow;
        int start = line % linesOfRow * ELEMENTS_OF_LINE;
        int end = Math.min(into.length, start + ELEMENTS_OF_LINE);
        if (version <= 0) {
            Arrays.fill(into, start, end, 0);
            return;
        }
        long base = Dice.mix(simulation.seed() * 31 + version) + rank + 1;
        long element = (long) row * simulation.hidden() + start;
        long hash = 0;
        for (int column = start; column < end; column++, element++) {
            // Four values of 16 bits to a hash.
            hash = column == start || (column & 3) == 0 ? Dice.mix(base + element * 16) : hash >>> 16;
            into[column] = Elements.round(DType.BF16, (short) hash * 0x1p-15f);
        }
    }
}
