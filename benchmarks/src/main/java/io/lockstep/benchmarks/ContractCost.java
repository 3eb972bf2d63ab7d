package io.lockstep.benchmarks;

import io.lockstep.core.DType;
import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.reference.Reference;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the numeric contract costs: one row of two ranks in bf16, everything but the exchange, with and without each of
 * the things that the contract asks for and others leave out. The row lies in the first-level cache, so the arithmetic
 * is all there is.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
@Fork(1)
public class ContractCost {
    @Param({"2880"})
    public int hidden;

    private final Arena arena = Arena.ofAuto();
    private final long[] inputs = new long[2];
    private Kernels kernels = Kernels.of(DType.BF16, 1, Kernels.preferredVectorBits(), arena);
    private LooseRow loose = new LooseRow(1, arena);
    private long residual;
    private long weight;
    private long sum;
    private long row;
    private long out;

    @Setup
    public void allocate() {
        kernels = Kernels.of(DType.BF16, hidden, Kernels.preferredVectorBits(), arena);
        loose = new LooseRow(hidden, arena);
        inputs[0] = tensor(1);
        inputs[1] = tensor(2);
        residual = tensor(3);
        weight = tensor(4);
        sum = tensor(5);
        row = tensor(6);
        out = tensor(7);
    }

    private long tensor(int seed) {
        var tensor = arena.allocate(hidden * 2L, 64);
        for (int i = 0; i < hidden; i++) {
            tensor.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (0x3F00 + (i * 7 + seed) % 128));
        }
        return tensor.address();
    }

    /** As a call does it: the sum rounded, squares in their tree, no NaN but the one NaN. */
    @Benchmark
    public void contract() {
        kernels.sum(sum, inputs, 2, hidden);
        kernels.add(row, sum, residual, hidden);
        float squares = kernels.squares(row, hidden);
        float scale = Reference.scale(squares, hidden, 1e-6f);
        kernels.scaleFinite(out, row, weight, scale, hidden);
    }

    /** The same for a single row, where it is not worth finding out whether the weight is finite. */
    @Benchmark
    public void contractWithGuardedScale() {
        kernels.sum(sum, inputs, 2, hidden);
        kernels.add(row, sum, residual, hidden);
        float squares = kernels.squares(row, hidden);
        kernels.scale(out, row, weight, Reference.scale(squares, hidden, 1e-6f), hidden);
    }

    /** The sum not rounded before the residual is added; squares and NaN as the contract has them. */
    @Benchmark
    public void withoutRoundingTheSum() {
        loose.sumAdd(row, inputs[0], inputs[1], residual);
        float squares = kernels.squares(row, hidden);
        kernels.scaleFinite(out, row, weight, Reference.scale(squares, hidden, 1e-6f), hidden);
    }

    /** Besides, squares added as they come, with fused multiply-add, while the row is at hand. */
    @Benchmark
    public void withoutRoundingAndTree() {
        float squares = loose.sumAddSquares(row, inputs[0], inputs[1], residual);
        kernels.scaleFinite(out, row, weight, Reference.scale(squares, hidden, 1e-6f), hidden);
    }
}
