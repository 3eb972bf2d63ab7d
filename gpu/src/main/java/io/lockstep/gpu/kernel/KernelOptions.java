package io.lockstep.gpu.kernel;

import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.UsageException;
import java.util.List;
import java.util.stream.Stream;

/**
 * What is fixed when the kernels are compiled.
 *
 * @param ranks 2 to 8
 * @param dtype of every tensor
 * @param hidden elements of a row
 * @param residual whether a residual is added
 * @param norm whether rows are normalised
 */
public record KernelOptions(int ranks, DType dtype, int hidden, boolean residual, boolean norm) {
    /** What a thread moves in one access, in bytes. */
    public static final int PACK_BYTES = 16;

    /** The one argument of every kernel, in bytes. */
    public static final int ARGUMENT_BYTES = 184;

    private static final int WARP = 32;
    private static final int MOST_PARTIALS = 256;

    /** Row warps where a thread holds one pack: more leave it too few registers for the packs of many peers. */
    private static final int MOST_ROW_WARPS = 31;

    private static final int MOST_ROW_WARPS_OF_MANY_RANKS = 23;
    private static final int FEW_RANKS = 4;

    /** Those of threads that hold two packs, and more: with the spare warp, 16 and 12 warps share the registers. */
    private static final int ROW_WARPS_OF_TWO_PACKS = 15;

    private static final int ROW_WARPS_OF_MORE_PACKS = 11;

    /** Rows of up to 32 KiB. */
    private static final int MOST_WARPS_IN_REGISTERS = 64;

    /** Where registers do not hold a row anyway. */
    private static final int ROW_WARPS_OF_THE_LONGEST = 16;

    /** Those of an operation. */
    public static KernelOptions of(Operation operation, int ranks) {
        KernelOptions options =
                new KernelOptions(ranks, operation.dtype(), operation.hidden(), operation.residual(), operation.norm());
        if (options.warpsOfPacks() > MOST_PARTIALS) {
            throw new UsageException("Operation: a row of " + operation.hidden() + " " + operation.dtype()
                    + " is too long for the kernels of a GPU: expected at most "
                    + MOST_PARTIALS * WARP * PACK_BYTES / operation.dtype().bytes() + " elements.");
        }
        return options;
    }

    /** Packs of a row, the last one filled up. */
    public int packs() {
        int elements = PACK_BYTES / dtype.bytes();
        return (hidden + elements - 1) / elements;
    }

    /** Bytes of a row in memory that the kernels share. */
    public long rowBytes() {
        return (long) packs() * PACK_BYTES;
    }

    /** Whether every row of a tensor is whole packs. */
    public boolean wholePacks() {
        return hidden % (PACK_BYTES / dtype.bytes()) == 0;
    }

    private int warpsOfPacks() {
        return (packs() + WARP - 1) / WARP;
    }

    /** Warps that share a row. */
    public int rowWarps() {
        int warps = warpsOfPacks();
        if (warps <= (ranks <= FEW_RANKS ? MOST_ROW_WARPS : MOST_ROW_WARPS_OF_MANY_RANKS)) {
            return warps;
        }
        if (warps <= 2 * ROW_WARPS_OF_TWO_PACKS) {
            return (warps + 1) / 2;
        }
        int most = warps <= MOST_WARPS_IN_REGISTERS ? ROW_WARPS_OF_MORE_PACKS : ROW_WARPS_OF_THE_LONGEST;
        int held = (warps + most - 1) / most;
        return (warps + held - 1) / held;
    }

    /** Threads of a block: those that hold a row, and the spare warp. */
    public int threads() {
        return rowWarps() * WARP + WARP;
    }

    /** As the compiler gets them, for one rank: code that knows its rank is shorter. */
    public List<String> defines(int rank) {
        return Stream.concat(Stream.of("LS_RANK=" + rank), defines().stream()).toList();
    }

    /** As the compiler gets them, for code that serves every rank. */
    public List<String> defines() {
        return List.of(
                "LS_RANKS=" + ranks,
                "LS_DTYPE="
                        + switch (dtype) {
                            case BF16 -> 0;
                            case FP16 -> 1;
                            case FP32 -> 2;
                        },
                "LS_HIDDEN=" + hidden,
                "LS_ROW_WARPS=" + rowWarps(),
                "LS_RESIDUAL=" + (residual ? 1 : 0),
                "LS_NORM=" + (norm ? 1 : 0));
    }
}
