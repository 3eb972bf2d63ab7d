package io.lockstep.cli.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * How an iteration on GPUs makes its calls. Iterations take turns:
 *
 * <pre>
 * iteration mod 4        0                          1       2                           3
 * calls of an exchange   a graph of 3, an eager     1       64 in a row before a check  1
 *                        one, the graph again
 * tokens                 all, half, all             all     all and fewer by turns      fewer
 * reduced                asked                      asked   –                           –
 *
 * (iteration / 4) mod 2  0                          1
 * pause before a call    –                          up to 2 ms, another on every rank
 *
 * (iteration / 8) mod 3  0                          1                                   2
 * tensors                apart                      in place, where there is one call   off the 16-byte boundary,
 *                                                                                       but in graphs
 * </pre>
 *
 * So the very first call of a plan is one of a graph. All numbers come from the seed and are the same on all ranks, but
 * for the pauses.
 */
record GpuWay(Calls calls, boolean reduced, boolean skewed, boolean inPlace, boolean shifted) {
    /** So many calls are queued before anything waits for them. */
    static final int QUEUED = 64;

    /** How the calls of an exchange are made. */
    enum Calls {
        REPLAYED,
        ONE,
        MANY,
        ONE_OF_FEWER
    }

    static GpuWay of(long iteration) {
        Calls calls = Calls.values()[(int) (iteration % 4)];
        boolean one = calls == Calls.ONE || calls == Calls.ONE_OF_FEWER;
        long tensors = iteration / 8 % 3;
        return new GpuWay(
                calls,
                iteration % 4 < 2,
                iteration / 4 % 2 == 1,
                tensors == 1 && one,
                tensors == 2 && calls != Calls.REPLAYED);
    }

    /** The tokens of the calls in a graph. */
    static List<Integer> tokensOfGraph(int most) {
        return List.of(most, (most + 1) / 2, most);
    }

    /** The tokens of the eager calls. */
    List<Integer> tokens(int most, SplittableRandom random) {
        List<Integer> tokens = new ArrayList<>();
        for (int call = 0; call < (calls == Calls.MANY ? QUEUED : 1); call++) {
            boolean all = calls == Calls.ONE || (calls == Calls.MANY && call % 2 == 0);
            tokens.add(all ? most : 1 + random.nextInt(most));
        }
        return tokens;
    }
}
