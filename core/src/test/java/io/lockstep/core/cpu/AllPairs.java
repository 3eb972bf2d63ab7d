package io.lockstep.core.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Few choices of one value per dimension, among which every pair of values of two dimensions occurs. */
final class AllPairs {
    private static final int CANDIDATES = 50;

    private AllPairs() {}

    /**
     * Chooses the cases.
     *
     * @param sizes how many values each dimension has
     * @param seed of the candidates
     * @return for each case the index of the value in each dimension
     */
    static List<int[]> of(int[] sizes, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        boolean[][][][] seen = new boolean[sizes.length][sizes.length][][];
        int missing = 0;
        for (int a = 0; a < sizes.length; a++) {
            for (int b = a + 1; b < sizes.length; b++) {
                seen[a][b] = new boolean[sizes[a]][sizes[b]];
                missing += sizes[a] * sizes[b];
            }
        }
        List<int[]> cases = new ArrayList<>();
        while (missing > 0) {
            int[] best = new int[sizes.length];
            int bestCount = 0;
            for (int candidate = 0; candidate < CANDIDATES; candidate++) {
                int[] choice = new int[sizes.length];
                for (int i = 0; i < sizes.length; i++) {
                    choice[i] = random.nextInt(sizes[i]);
                }
                int count = mark(choice, seen, false);
                if (count > bestCount) {
                    best = choice;
                    bestCount = count;
                }
            }
            if (bestCount > 0) {
                missing -= mark(best, seen, true);
                cases.add(best);
            }
        }
        return cases;
    }

    private static int mark(int[] choice, boolean[][][][] seen, boolean set) {
        int fresh = 0;
        for (int a = 0; a < choice.length; a++) {
            for (int b = a + 1; b < choice.length; b++) {
                if (!seen[a][b][choice[a]][choice[b]]) {
                    fresh++;
                    seen[a][b][choice[a]][choice[b]] = set;
                }
            }
        }
        return fresh;
    }
}
