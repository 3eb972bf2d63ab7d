package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import java.lang.foreign.Arena;

final class Fp32Kernels extends DirectKernels {
    Fp32Kernels(int hidden, Width width, Arena scratch) {
        super(DType.FP32, hidden, width, Fp32Vectors.class, "scale", places(width.floats()), scratch);
    }

    @Override
    int sumLoop(long to, long[] inputs, int ranks, int n) {
        int done = 0;
        for (int start = 0; start < n && start == done; start += WIDE) {
            int length = Math.min(WIDE, n - start);
            long offset = (long) start * Float.BYTES;
            int added = addLoop(to + offset, inputs[0] + offset, inputs[1] + offset, length);
            for (int rank = 2; rank < ranks; rank++) {
                added = addLoop(to + offset, to + offset, inputs[rank] + offset, length);
            }
            done += added;
        }
        return done;
    }

    /**
     * Where {@link Fp32Vectors} puts the lanes: in each vector, the pairs of its first half and of its second half take
     * turns.
     */
    private static int[] places(int floats) {
        int[] places = placesInOrder();
        for (int place = 0; floats > 1 && place < LANES; place++) {
            int within = place % floats;
            int lane = place - within + (within % 2) * (floats / 2) + within / 2;
            places[lane] = place;
        }
        return places;
    }
}
