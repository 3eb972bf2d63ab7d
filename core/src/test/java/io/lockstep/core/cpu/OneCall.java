package io.lockstep.core.cpu;

import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** One call of one rank with its tensors in chosen places, compared with the specification. */
final class OneCall {
    private static final byte GARBAGE = 0x5A;

    private final Plan plan;
    private final Layer layer;
    private final int rank;
    private final int tokens;
    private long began;

    OneCall(Plan plan, int worldSize, int rank, int tokens, long seed, Layer.Mix mix) {
        this.plan = plan;
        this.rank = rank;
        this.tokens = tokens;
        layer = new Layer(plan.operation(), worldSize, tokens, seed, mix);
    }

    /** The time at which the call itself began, after the tensors were made; milliseconds since 1970. */
    long began() {
        return began;
    }

    /**
     * Runs and compares.
     *
     * @param input where the input lies; null takes the lent buffer
     * @param rest where all the other tensors lie
     * @param inPlace whether results are written over what they may be written over
     */
    void run(String where, @Nullable Place input, Place rest, boolean inPlace) {
        try (Arena arena = Arena.ofShared()) {
            String what = where + ", rank " + rank + ", input " + (input == null ? "lent" : input);
            if (input == null) {
                MemorySegment lent = plan.input().segment();
                run(what, lent, Tensors.lent(), rest, inPlace, false, arena);
            } else {
                MemorySegment own = input.allocate(arena, plan.operation().dtype(), layer.elements());
                run(what, own, Tensors.of(own), rest, inPlace, inPlace, arena);
            }
        }
    }

    /** Runs with the symmetric input, writes garbage there at once, and compares. */
    void runSymmetric(String where, Place rest, boolean inPlace) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment symmetric = plan.symmetricInput().segment();
            String what = where + ", rank " + rank + ", input symmetric";
            run(what, symmetric, Tensors.of(symmetric), rest, inPlace, false, arena);
        }
    }

    private void run(
            String where, MemorySegment in, Tensors inputs, Place rest, boolean inPlace, boolean over, Arena arena) {
        Operation operation = plan.operation();
        DType dtype = operation.dtype();
        long elements = layer.elements();
        layer.fillInput(in, rank);
        Tensors tensors = inputs;
        MemorySegment residualOut = null;
        if (operation.residual()) {
            MemorySegment residual = rest.allocate(arena, dtype, elements);
            layer.fillResidual(residual);
            residualOut = inPlace ? residual : garbage(rest.allocate(arena, dtype, elements));
            tensors = tensors.withResidual(residual).withResidualOut(residualOut);
        }
        MemorySegment out = null;
        if (operation.norm()) {
            MemorySegment weight = rest.allocate(arena, dtype, operation.hidden());
            layer.fillWeight(weight);
            out = over ? in : garbage(rest.allocate(arena, dtype, elements));
            tensors = tensors.withWeight(weight).withOut(out);
        }
        MemorySegment reduced = null;
        if (!operation.norm() && !operation.residual()) {
            reduced = over ? in : garbage(rest.allocate(arena, dtype, elements));
        } else if (!inPlace) {
            reduced = garbage(rest.allocate(arena, dtype, elements));
        }
        if (reduced != null) {
            tensors = tensors.withReduced(reduced);
        }
        began = System.currentTimeMillis();
        plan.run(tokens, tensors);
        // The input is the caller's again, though other ranks may still be in the call.
        if (!over && inputs.input() != null) {
            garbage(in);
        }
        layer.check(where + ", rest " + rest + (inPlace ? ", in place" : ""), reduced, residualOut, out);
    }

    private static MemorySegment garbage(MemorySegment segment) {
        return segment.fill(GARBAGE);
    }
}
