package io.lockstep.litmus.sim;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * The tensor: which line belongs to which row, which versions made up a row that saw a wrong line, and the numbers that
 * come of it. All-reduce, residual add and RMSNorm in bf16, with values that are a hash of rank, call, row and column.
 */
final class Rows {
    private static final int BYTES_OF_LINE = 128;
    private static final int ELEMENTS_OF_LINE = BYTES_OF_LINE / 2;
    private static final int REMEMBERED = 16;
    private static final float EPSILON = 1e-5f;

    private final Simulation simulation;
    private final int devices;
    private final int linesOfRow;
    private final int lines;
    private final boolean twoShot;
    private final BitSet[] wrong;
    /** Two-shot: for a call and a line, the versions of the inputs that its owner added, where not all were right. */
    private final Map<Long, int[]> mixtures = new HashMap<>();
    /** What each device saw in this call, where it was wrong: by device and line, the version from each source. */
    private final Map<Long, int[]> seen = new HashMap<>();

    private int iteration;

    Rows(Simulation simulation, boolean twoShot) {
        this.simulation = simulation;
        this.devices = simulation.devices();
        this.linesOfRow = (simulation.hidden() + ELEMENTS_OF_LINE - 1) / ELEMENTS_OF_LINE;
        this.lines = linesOfRow * simulation.tokens();
        this.twoShot = twoShot;
        this.wrong = Simulator.sets(devices);
    }

    boolean twoShot() {
        return twoShot;
    }

    int lines() {
        return lines;
    }

    /** How many places a flow has: each line once for each device, or for each pair of devices. */
    int places(boolean local) {
        return lines * devices * (twoShot ? 1 : devices);
    }

    void begin(int number) {
        iteration = number;
        seen.clear();
        for (BitSet set : wrong) {
            set.clear();
        }
        mixtures.keySet().removeIf(key -> (key >>> 32) < number - REMEMBERED);
    }

    private int owner(int line) {
        return (int) ((long) (line / linesOfRow) * devices / simulation.tokens());
    }

    /** A load returned another version than this call's. */
    void saw(boolean inputOfOwner, int place, int version) {
        int line = place % lines;
        int other = place / lines;
        if (!twoShot) {
            int reader = other / devices;
            int writer = other % devices;
            if (reader != writer) {
                record(reader, line, writer, version);
            }
        } else if (inputOfOwner) {
            if (other != owner(line)) {
                mixtures.computeIfAbsent(key(iteration, line), key -> versions(iteration))[other] = version;
                for (int device = 0; device < devices; device++) {
                    wrong[device].set(line / linesOfRow);
                }
            }
        } else if (other != owner(line)) {
            record(other, line, 0, version);
        }
    }

    private void record(int reader, int line, int source, int version) {
        wrong[reader].set(line / linesOfRow);
        seen.computeIfAbsent(key(reader, line), key -> versions(iteration))[source] = version;
    }

    private int[] versions(int version) {
        int[] versions = new int[devices];
        Arrays.fill(versions, version);
        return versions;
    }

    private static long key(int high, int low) {
        return ((long) high << 32) | low;
    }

    long wrong() {
        long count = 0;
        for (BitSet set : wrong) {
            count += set.cardinality();
        }
        return count;
    }

    /** The greatest error over the rows that saw a wrong line, or over all. */
    double worstError() {
        double worst = 0;
        float[] sums = new float[simulation.hidden()];
        float[] residual = new float[simulation.hidden()];
        float[] right = new float[simulation.hidden()];
        float[] got = new float[simulation.hidden()];
        int[] versions = versions(iteration);
        for (int row = 0; row < simulation.tokens(); row++) {
            boolean any = simulation.full();
            for (BitSet set : wrong) {
                any |= set.get(row);
            }
            if (!any) {
                continue;
            }
            for (int line = 0; line < linesOfRow; line++) {
                reduce(row, line, versions, sums);
                value(-1, iteration, row, line, residual, false);
            }
            normalise(sums, residual, right);
            for (int device = 0; device < devices; device++) {
                if (wrong[device].get(row) || simulation.full()) {
                    System.arraycopy(sums, 0, got, 0, got.length);
                    for (int line = 0; line < linesOfRow; line++) {
                        int[] from = sources(device, row * linesOfRow + line, versions);
                        if (!Arrays.equals(from, versions) || simulation.full()) {
                            reduce(row, line, from, got);
                        }
                    }
                    normalise(got, residual, got);
                    for (int column = 0; column < right.length; column++) {
                        worst = Math.max(worst, Math.abs((double) got[column] - right[column]));
                    }
                }
            }
        }
        return worst;
    }

    /** The sum over the ranks, of one line, rounded once. */
    private void reduce(int row, int line, int[] from, float[] sums) {
        int end = Math.min(sums.length, (line + 1) * ELEMENTS_OF_LINE);
        Arrays.fill(sums, line * ELEMENTS_OF_LINE, end, 0);
        for (int rank = 0; rank < devices; rank++) {
            value(rank, from[rank], row, line, sums, true);
        }
        for (int column = line * ELEMENTS_OF_LINE; column < end; column++) {
            sums[column] = bf16(sums[column]);
        }
    }

    private static void normalise(float[] sums, float[] residual, float[] out) {
        double squares = 0;
        for (int column = 0; column < out.length; column++) {
            float value = bf16(sums[column] + residual[column]);
            out[column] = value;
            squares += (double) value * value;
        }
        float scale = (float) (1 / Math.sqrt(squares / out.length + EPSILON));
        for (int column = 0; column < out.length; column++) {
            out[column] = bf16(out[column] * scale);
        }
    }

    private int[] sources(int device, int line, int[] right) {
        int[] own = seen.get(key(device, line));
        if (!twoShot) {
            return own == null ? right : own;
        }
        int version = own == null ? iteration : own[0];
        int[] mixture = mixtures.get(key(version, line));
        if (mixture != null) {
            return mixture;
        }
        return version == iteration ? right : versions(version);
    }

    /** One line of a rank's input, or with rank -1 of the residual; before the first call everything is zero. */
    private void value(int rank, int version, int row, int line, float[] into, boolean add) {
        int end = Math.min(into.length, (line + 1) * ELEMENTS_OF_LINE);
        long base = Dice.mix(simulation.seed() * 31 + version) + rank + 1;
        for (int column = line * ELEMENTS_OF_LINE; column < end; column++) {
            long hash = Dice.mix(base + ((long) row * simulation.hidden() + column) * 16);
            float value = version <= 0 ? 0 : bf16((int) (hash >>> 40) * 0x1p-23f - 1);
            into[column] = add ? into[column] + value : value;
        }
    }

    /** Rounds to bf16, to nearest even. */
    private static float bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        int rounded = bits + 0x7FFF + ((bits >>> 16) & 1);
        return Float.intBitsToFloat(rounded & 0xFFFF0000);
    }
}
