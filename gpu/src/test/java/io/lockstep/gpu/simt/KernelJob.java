package io.lockstep.gpu.simt;

import io.lockstep.core.DType;
import io.lockstep.gpu.kernel.KernelOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Calls in a row on all ranks of a {@link HostBuild}. All times are of the shim's clock, which advances by 100 ns when
 * every lane of every rank has had its turn.
 *
 * @param build the program
 * @param calls in order
 * @param mostCarriers blocks that carry rows, at most; beside them are one or two that re-arm
 * @param seed of the scheduler
 * @param skew the most rounds that a rank stands still for, now and then
 * @param lateStores whether words that a rank stores into its own memory may arrive there late
 * @param deadlineNanos of one wait
 * @param abortAtNanos when the host says abort
 * @param abortRank to whom
 */
record KernelJob(
        HostBuild build,
        List<Call> calls,
        int mostCarriers,
        long seed,
        int skew,
        boolean lateStores,
        long deadlineNanos,
        long abortAtNanos,
        int abortRank) {
    static final float EPSILON = 1e-6f;
    private static final long DEADLINE_NANOS = 3_000_000;
    private static final long MOST_DEADLINES = 10;
    private static final long MOST_SECONDS = 60;

    /** Calls that are expected to end. */
    KernelJob(HostBuild build, List<Call> calls, int mostCarriers, long seed, int skew) {
        this(build, calls, mostCarriers, seed, skew, false, DEADLINE_NANOS, Long.MAX_VALUE, 0);
    }

    KernelJob withLateStores() {
        return new KernelJob(build, calls, mostCarriers, seed, skew, true, deadlineNanos, abortAtNanos, abortRank);
    }

    KernelJob withAbort(long nanos, int rank) {
        return new KernelJob(build, calls, mostCarriers, seed, skew, lateStores, deadlineNanos, nanos, rank);
    }

    /** What the call of a rank has left: whether nothing around the tensors was written, and the outputs, as bytes. */
    record Outputs(boolean keptToItself, MemorySegment reduced, MemorySegment residualOut, MemorySegment out) {}

    /** How a rank has ended: its report and state, the clock when it reported, and its calls. */
    record RankResult(
            int what,
            int peer,
            int epoch,
            int block,
            int expected,
            int found,
            int lastEpoch,
            int failed,
            long nanos,
            List<Outputs> calls) {}

    /** How the program has ended; no ranks unless its status is 0. */
    record Result(HostBuild.Output output, List<RankResult> ranks) {}

    /** Runs it. */
    Result run() throws IOException, InterruptedException {
        Path job = Files.createTempFile("job", ".bin");
        Path result = Files.createTempFile("result", ".bin");
        try {
            Files.write(job, encoded());
            HostBuild.Output output =
                    HostBuild.run(List.of(build.program().toString(), job.toString(), result.toString()), MOST_SECONDS);
            return new Result(output, Files.size(result) == 0 ? List.of() : decoded(Files.readAllBytes(result)));
        } finally {
            Files.delete(job);
            Files.delete(result);
        }
    }

    private byte[] encoded() {
        long size = 128;
        for (Call call : calls) {
            size += 8 + 8L * call.tokens().size() + call.weight().byteSize();
            size += call.inputs().stream().mapToLong(MemorySegment::byteSize).sum();
            size += call.residuals().stream().mapToLong(MemorySegment::byteSize).sum();
        }
        KernelOptions options = build.options();
        ByteBuffer to = ByteBuffer.allocate(Math.toIntExact(size)).order(ByteOrder.LITTLE_ENDIAN);
        to.putInt(options.ranks()).putInt(dtype(options.dtype())).putInt(options.hidden());
        to.putInt(options.residual() ? 1 : 0).putInt(options.norm() ? 1 : 0);
        to.putInt(mostCarriers).putInt(1 + (int) (seed % 2)).putInt(mostTokens());
        to.putLong(seed).putInt(skew).putInt(lateStores ? 1 : 0);
        to.putLong(deadlineNanos * MOST_DEADLINES);
        to.putLong(deadlineNanos).putLong(abortAtNanos).putInt(abortRank).putFloat(EPSILON);
        to.putInt(calls.size());
        for (Call call : calls) {
            to.putInt(call.exchange().code());
            to.putInt(call.how().stream().mapToInt(how -> 1 << how.ordinal()).sum());
            call.tokens().forEach(to::putInt);
            call.shift().forEach(to::putInt);
            to.put(call.weight().asByteBuffer());
            for (int rank = 0; rank < options.ranks(); rank++) {
                to.put(call.inputs().get(rank).asByteBuffer());
                if (options.residual()) {
                    to.put(call.residuals().get(rank).asByteBuffer());
                }
            }
        }
        return Arrays.copyOf(to.array(), to.position());
    }

    private int mostTokens() {
        return calls.stream()
                .flatMap(call -> call.tokens().stream())
                .mapToInt(Integer::intValue)
                .max()
                .orElseThrow();
    }

    private static int dtype(DType dtype) {
        return switch (dtype) {
            case BF16 -> 0;
            case FP16 -> 1;
            case FP32 -> 2;
        };
    }

    private List<RankResult> decoded(byte[] bytes) {
        ByteBuffer from = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        KernelOptions options = build.options();
        List<RankResult> ranks = new ArrayList<>();
        for (int rank = 0; rank < options.ranks(); rank++) {
            int what = from.getInt();
            int peer = from.getInt();
            int epoch = from.getInt();
            int block = from.getInt();
            int expected = from.getInt();
            int found = from.getInt();
            int lastEpoch = from.getInt();
            int failed = from.getInt();
            long nanos = from.getLong();
            List<Outputs> outputs = new ArrayList<>();
            for (Call call : calls) {
                int tokens = call.tokens().get(rank);
                if (tokens == 0) {
                    break;
                }
                int size = tokens * options.hidden() * options.dtype().bytes();
                boolean kept = from.getInt() == 1;
                outputs.add(new Outputs(
                        kept,
                        take(from, call.how().contains(Call.How.WANTS_REDUCED) ? size : 0),
                        take(from, options.residual() ? size : 0),
                        take(from, options.norm() ? size : 0)));
            }
            ranks.add(new RankResult(
                    what, peer, epoch, block, expected, found, lastEpoch, failed, nanos, List.copyOf(outputs)));
        }
        return List.copyOf(ranks);
    }

    private static MemorySegment take(ByteBuffer from, int size) {
        byte[] bytes = new byte[size];
        from.get(bytes);
        return MemorySegment.ofArray(bytes);
    }
}
