package io.lockstep.cli.verify;

import io.lockstep.cli.inputs.RandomTensor;
import io.lockstep.cli.inputs.Shape;
import io.lockstep.cli.ranks.Pulse;
import io.lockstep.cli.safetensors.SafeTensorsWriter;
import io.lockstep.cli.safetensors.TensorSpec;
import io.lockstep.cli.verify.VerifyOrder.Subject;
import io.lockstep.core.Algorithm;
import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.cpu.CpuDiagnostics;
import io.lockstep.core.cpu.Fault;
import io.lockstep.core.reference.Reference;
import io.lockstep.gpu.GpuCommunicator;
import io.lockstep.gpu.collective.GpuDiagnostics;
import io.lockstep.gpu.kernel.Exchange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One rank's plans and memory for one subject. In an iteration every algorithm runs on the same inputs, and one pass of
 * the specification judges all of them. Iterations take turns in how the tensors are given:
 *
 * <pre>
 * iteration mod 4     0         1         2         3
 * input               private   lent      private   lent       lent up to 4 MiB a rank
 * reduced             asked     asked     –         –          asked up to 32 MiB a rank
 * </pre>
 *
 * The last algorithm writes in place (out over the input, residual_out over the residual), which also saves memory.
 */
final class Trial implements AutoCloseable {
    static final long MOST_LENT = 4L << 20;
    static final long MOST_REDUCED = 32L << 20;

    private static final long ALIGNMENT = 64;

    /** The outputs of one algorithm. */
    private record Outputs(
            MemorySegment residualOut,
            MemorySegment out,
            @Nullable MemorySegment reduced) {}

    private final Communicator communicator;
    private final Subject subject;
    private final Shape shape;
    private final DType dtype;
    private final Operation operation;
    private final Arena arena = Arena.ofShared();
    private final List<Plan> plans = new ArrayList<>();
    private final List<Outputs> outputs = new ArrayList<>();
    private final @Nullable Gate gate;
    private final MemorySegment input;
    private final MemorySegment residual;
    private final MemorySegment weight;
    private final float[][] inputRows;
    private final float[] residualRow;
    private final float[] weightRow;
    private final float[] reducedRow;
    private final float[] residualOutRow;
    private final float[] outRow;
    private final RowChecker reducedChecker;
    private final RowChecker residualOutChecker;
    private final RowChecker outChecker;

    Trial(Communicator communicator, Subject subject) {
        this.communicator = communicator;
        this.subject = subject;
        this.shape = subject.shape();
        this.dtype = subject.dtype();
        int hidden = shape.hidden();
        this.operation = Operation.allReduceResidualRmsNorm(dtype, hidden, shape.tokens())
                .withEpsilon(subject.epsilon());
        for (String label : subject.algorithms()) {
            plans.add(plan(label));
        }
        gate = subject.fault() == null ? null : new Gate(communicator, arena);
        long bytes = bytes(shape, dtype);
        input = arena.allocate(bytes, ALIGNMENT);
        residual = arena.allocate(bytes, ALIGNMENT);
        weight = arena.allocate(operation.rowBytes(), ALIGNMENT);
        for (int i = 0; i < plans.size(); i++) {
            boolean last = i == plans.size() - 1;
            outputs.add(new Outputs(
                    last ? residual : arena.allocate(bytes, ALIGNMENT),
                    last ? input : arena.allocate(bytes, ALIGNMENT),
                    bytes <= MOST_REDUCED ? arena.allocate(bytes, ALIGNMENT) : null));
        }
        inputRows = new float[communicator.worldSize()][hidden];
        residualRow = new float[hidden];
        weightRow = new float[hidden];
        reducedRow = new float[hidden];
        residualOutRow = new float[hidden];
        outRow = new float[hidden];
        reducedChecker = new RowChecker("reduced", dtype, hidden, arena);
        residualOutChecker = new RowChecker("residual_out", dtype, hidden, arena);
        outChecker = new RowChecker("out", dtype, hidden, arena);
    }

    /** The size of a tensor of this shape. */
    static long bytes(Shape shape, DType dtype) {
        return shape.elements() * dtype.bytes();
    }

    /** The native memory of one rank, without what the plans share. */
    static long privateBytes(Shape shape, DType dtype, int algorithms) {
        long bytes = bytes(shape, dtype);
        long reduced = bytes <= MOST_REDUCED ? algorithms : 0;
        return bytes * (2 + 2L * (algorithms - 1) + reduced);
    }

    private Plan plan(String label) {
        Exchange exchange = exchange(label);
        if (exchange != null) {
            return GpuDiagnostics.plan(communicator, operation, exchange);
        }
        Operation planned = operation.withAlgorithm(Algorithm.of(label));
        String fault = subject.fault();
        return fault == null
                ? communicator.plan(planned)
                : CpuDiagnostics.plant(communicator, planned, Fault.of(fault), subject.faultyRank());
    }

    private static @Nullable Exchange exchange(String label) {
        return Arrays.stream(Exchange.values())
                .filter(known -> known.label().equals(label))
                .findFirst()
                .orElse(null);
    }

    /** Runs iterations; one tally for each algorithm. */
    List<Tally> run(long first, int count, Pulse pulse) {
        List<Tally> tallies = new ArrayList<>(java.util.Collections.nCopies(plans.size(), Tally.RIGHT));
        for (int i = 0; i < count; i++) {
            long iteration = first + i;
            double before = (double) i / count;
            call(iteration);
            check(iteration, tallies, pulse, before, 1.0 / count);
        }
        return tallies;
    }

    private void call(long iteration) {
        RandomTensor.input(dtype, subject.seed(), iteration, communicator.rank())
                .fill(input, shape);
        RandomTensor.residual(dtype, subject.seed(), iteration).fill(residual, shape);
        RandomTensor.weight(dtype, subject.seed(), iteration).fill(weight, new Shape(1, shape.hidden()));
        // Plans on GPUs lend no memory of the host.
        boolean lent =
                iteration % 2 == 1 && input.byteSize() <= MOST_LENT && !(communicator instanceof GpuCommunicator);
        for (int i = 0; i < plans.size(); i++) {
            Outputs to = outputs.get(i);
            Tensors tensors = Tensors.lent()
                    .withResidual(residual)
                    .withWeight(weight)
                    .withResidualOut(to.residualOut())
                    .withOut(to.out());
            if (lent) {
                MemorySegment.copy(input, 0, plans.get(i).input().segment(), 0, input.byteSize());
            } else {
                tensors = tensors.withInput(input);
            }
            MemorySegment reduced = reducedOf(to, iteration);
            if (gate != null) {
                gate.await();
            }
            plans.get(i).run(shape.tokens(), reduced == null ? tensors : tensors.withReduced(reduced));
        }
    }

    private @Nullable MemorySegment reducedOf(Outputs outputs, long iteration) {
        return iteration % 4 < 2 ? outputs.reduced() : null;
    }

    private void check(long iteration, List<Tally> tallies, Pulse pulse, double before, double share) {
        RandomTensor[] inputs = inputs(iteration);
        RandomTensor residuals = RandomTensor.residual(dtype, subject.seed(), iteration);
        RandomTensor.weight(dtype, subject.seed(), iteration).row(0, weightRow);
        int rank = communicator.rank();
        for (int row = 0; row < shape.tokens(); row++) {
            for (int other = 0; other < inputs.length; other++) {
                inputs[other].row(row, inputRows[other]);
            }
            residuals.row(row, residualRow);
            Reference.row(operation, inputRows, residualRow, weightRow, reducedRow, residualOutRow, outRow);
            reducedChecker.expect(reducedRow);
            residualOutChecker.expect(residualOutRow);
            outChecker.expect(outRow);
            for (int i = 0; i < plans.size(); i++) {
                Outputs got = outputs.get(i);
                MemorySegment reduced = reducedOf(got, iteration);
                Tally tally = residualOutChecker
                        .check(got.residualOut(), row, rank, iteration)
                        .plus(outChecker.check(got.out(), row, rank, iteration));
                if (reduced != null) {
                    tally = reducedChecker.check(reduced, row, rank, iteration).plus(tally);
                }
                tallies.set(i, tallies.get(i).plus(tally));
            }
            pulse.beat(before + share * row / shape.tokens());
        }
    }

    private RandomTensor[] inputs(long iteration) {
        RandomTensor[] inputs = new RandomTensor[communicator.worldSize()];
        for (int rank = 0; rank < inputs.length; rank++) {
            inputs[rank] = RandomTensor.input(dtype, subject.seed(), iteration, rank);
        }
        return inputs;
    }

    /**
     * Writes the call of an iteration, which has to be the last that was run: what {@code apply} reads, and what this
     * rank found under {@code found.ALGORITHM.…}.
     */
    void save(long iteration, Path path) {
        List<TensorSpec> specs = new ArrayList<>();
        List<Long> dimensions = List.of((long) shape.tokens(), (long) shape.hidden());
        for (int rank = 0; rank < communicator.worldSize(); rank++) {
            specs.add(new TensorSpec("input." + rank, dtype, dimensions));
        }
        specs.add(new TensorSpec("residual", dtype, dimensions));
        specs.add(new TensorSpec("weight", dtype, List.of((long) shape.hidden())));
        for (String algorithm : subject.algorithms()) {
            specs.add(new TensorSpec("found." + algorithm + ".residual_out", dtype, dimensions));
            specs.add(new TensorSpec("found." + algorithm + ".out", dtype, dimensions));
        }
        Map<String, String> metadata = Map.of(
                "seed", Long.toString(subject.seed()),
                "iteration", Long.toString(iteration),
                "found_on_rank", Integer.toString(communicator.rank()),
                "epsilon", Float.toString(subject.epsilon()));
        try (SafeTensorsWriter writer = SafeTensorsWriter.create(path, specs, metadata)) {
            RandomTensor[] inputs = inputs(iteration);
            for (int rank = 0; rank < inputs.length; rank++) {
                inputs[rank].fill(writer.tensor("input." + rank), shape);
            }
            RandomTensor.residual(dtype, subject.seed(), iteration).fill(writer.tensor("residual"), shape);
            RandomTensor.weight(dtype, subject.seed(), iteration)
                    .fill(writer.tensor("weight"), new Shape(1, shape.hidden()));
            for (int i = 0; i < plans.size(); i++) {
                String found = "found." + subject.algorithms().get(i);
                writer.tensor(found + ".residual_out").copyFrom(outputs.get(i).residualOut());
                writer.tensor(found + ".out").copyFrom(outputs.get(i).out());
            }
            writer.complete();
        }
    }

    @Override
    public void close() {
        plans.forEach(Plan::close);
        if (gate != null) {
            gate.close();
        }
        arena.close();
    }
}
