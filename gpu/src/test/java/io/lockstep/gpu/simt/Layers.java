package io.lockstep.gpu.simt;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.reference.Elements;
import io.lockstep.core.reference.Reference;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelOptions;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** Random calls, and what the reference makes of them. */
final class Layers {
    private static final int KINDS_OF_ROWS = 4;
    private static final int PACK_BYTES = 16;

    private final KernelOptions options;
    private final SplittableRandom random;

    Layers(KernelOptions options, long seed) {
        this.options = options;
        this.random = new SplittableRandom(seed);
    }

    /** A call with the same tokens on all ranks, all other choices at random. */
    Call any(Exchange exchange, int tokens) {
        Set<Call.How> how = EnumSet.noneOf(Call.How.class);
        for (Call.How choice : Call.How.values()) {
            if (random.nextInt(3) == 0) {
                how.add(choice);
            }
        }
        List<Integer> shift = new ArrayList<>();
        for (int rank = 0; rank < options.ranks(); rank++) {
            int elements = random.nextInt(2) == 0
                    ? 0
                    : random.nextInt(PACK_BYTES / options.dtype().bytes());
            shift.add(elements * options.dtype().bytes());
        }
        return of(exchange, Collections.nCopies(options.ranks(), tokens), shift, how);
    }

    /** A call with aligned tensors and all outputs apart. */
    Call plain(Exchange exchange, List<Integer> tokens) {
        return of(exchange, tokens, Collections.nCopies(options.ranks(), 0), Set.of(Call.How.WANTS_REDUCED));
    }

    private Call of(Exchange exchange, List<Integer> tokens, List<Integer> shift, Set<Call.How> how) {
        Set<Call.How> chosen = EnumSet.noneOf(Call.How.class);
        chosen.addAll(how);
        if (!options.residual() && !options.norm()) {
            chosen.add(Call.How.WANTS_REDUCED);
        }
        int most = Collections.max(tokens);
        MemorySegment residual = tensor(options.residual() ? most : 0);
        MemorySegment weight = tensor(options.norm() ? 1 : 0);
        List<MemorySegment> inputs = tokens.stream().map(this::tensor).toList();
        List<MemorySegment> residuals = tokens.stream()
                .map(count -> residual.asSlice(0, options.residual() ? size(count) : 0))
                .toList();
        return new Call(exchange, tokens, shift, chosen, weight, inputs, residuals);
    }

    private int size(int tokens) {
        return tokens * options.hidden() * options.dtype().bytes();
    }

    /** Rows of everyday values, of those and edges that are finite, of tiny values, and of any bits. */
    private MemorySegment tensor(int tokens) {
        MemorySegment to = MemorySegment.ofArray(new byte[size(tokens)]);
        int firstKind = random.nextInt(KINDS_OF_ROWS);
        for (int row = 0; row < tokens; row++) {
            int kind = (firstKind + row) % KINDS_OF_ROWS;
            long first = (long) row * options.hidden();
            for (int i = 0; i < options.hidden(); i++) {
                switch (kind) {
                    case 0 -> Elements.set(options.dtype(), to, first + i, everyday());
                    case 1 -> finite(to, first + i);
                    case 2 -> Elements.set(options.dtype(), to, first + i, everyday() * tiny());
                    default -> bits(to, first + i, random.nextInt());
                }
            }
            if (kind == KINDS_OF_ROWS - 1) {
                // Words of the reserved pattern and of its stand-in, wherever they fall.
                int words = 1 + random.nextInt(3);
                for (int word = 0; word < words; word++) {
                    int at = random.nextInt(options.hidden());
                    int bits = random.nextBoolean() ? 0xFFFFFFFF : 0xFFFEFFFE;
                    bits(to, first + at, bits);
                    bits(to, first + (at ^ 1) % options.hidden(), bits);
                }
            }
        }
        return to;
    }

    private float everyday() {
        return (float) (random.nextDouble() * 8 - 4);
    }

    private float tiny() {
        return options.dtype() == DType.FP16 ? 0x1p-16f : 0x1p-128f;
    }

    private void finite(MemorySegment to, long index) {
        int sign = random.nextInt() & 0x8000;
        int[] edges = switch (options.dtype()) {
            case BF16 -> new int[] {0, 1, 0x007F, 0x0080, 0x3F80, 0x7F7F};
            case FP16 -> new int[] {0, 1, 0x03FF, 0x0400, 0x3C00, 0x7BFF};
            case FP32 -> new int[] {0, 1, 0x007FFFFF, 0x00800000, 0x3F800000, 0x7F7FFFFF};
        };
        if (random.nextInt(4) != 0) {
            Elements.set(options.dtype(), to, index, everyday());
        } else if (options.dtype() == DType.FP32) {
            bits(to, index, edges[random.nextInt(edges.length)] | sign << 16);
        } else {
            bits(to, index, edges[random.nextInt(edges.length)] | sign);
        }
    }

    private void bits(MemorySegment to, long index, int bits) {
        if (options.dtype() == DType.FP32) {
            to.set(ValueLayout.JAVA_INT_UNALIGNED, index * 4, bits);
        } else {
            to.set(ValueLayout.JAVA_SHORT_UNALIGNED, index * 2, (short) bits);
        }
    }

    /** What every rank has to store in a call. */
    KernelJob.Outputs expected(Call call) {
        int tokens = call.tokens().getFirst();
        int hidden = options.hidden();
        Operation operation = new Operation(
                options.dtype(), hidden, tokens, KernelJob.EPSILON, Algorithm.AUTO, options.residual(), options.norm());
        MemorySegment reduced =
                MemorySegment.ofArray(new byte[call.how().contains(Call.How.WANTS_REDUCED) ? size(tokens) : 0]);
        MemorySegment residualOut = MemorySegment.ofArray(new byte[options.residual() ? size(tokens) : 0]);
        MemorySegment out = MemorySegment.ofArray(new byte[options.norm() ? size(tokens) : 0]);
        float[] weight = options.norm() ? row(call.weight(), 0) : null;
        float[][] stored = new float[3][hidden];
        for (int row = 0; row < tokens; row++) {
            int at = row;
            float[][] inputs =
                    call.inputs().stream().map(input -> row(input, at)).toArray(float[][]::new);
            float[] residual = options.residual() ? row(call.residuals().getFirst(), row) : null;
            Reference.row(operation, inputs, residual, weight, stored[0], stored[1], options.norm() ? stored[2] : null);
            put(reduced, row, stored[0]);
            put(residualOut, row, stored[1]);
            put(out, row, stored[2]);
        }
        return new KernelJob.Outputs(true, reduced, residualOut, out);
    }

    private float[] row(MemorySegment tensor, int row) {
        float[] values = new float[options.hidden()];
        for (int i = 0; i < values.length; i++) {
            values[i] = Elements.get(options.dtype(), tensor, (long) row * values.length + i);
        }
        return values;
    }

    private void put(MemorySegment tensor, int row, float[] values) {
        for (int i = 0; tensor.byteSize() > 0 && i < values.length; i++) {
            Elements.set(options.dtype(), tensor, (long) row * values.length + i, values[i]);
        }
    }
}
