package io.lockstep.cli.verify;

import io.lockstep.cli.inputs.RandomTensor;
import io.lockstep.cli.inputs.Shape;
import io.lockstep.cli.safetensors.SafeTensorsWriter;
import io.lockstep.cli.safetensors.TensorSpec;
import io.lockstep.cli.verify.VerifyOrder.Subject;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.reference.Reference;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;

/** What every rank must come to, from the seeds alone: the scalar reference, row by row. */
final class Specification {
    private final Subject subject;
    private final Shape shape;
    private final DType dtype;
    private final Operation operation;
    private final int worldSize;
    private final int rank;
    private final float[][] inputRows;
    private final float[] residualRow;
    private final float[] weightRow;
    private final float[] reducedRow;
    private final float[] residualOutRow;
    private final float[] outRow;
    private final RowChecker reducedChecker;
    private final RowChecker residualOutChecker;
    private final RowChecker outChecker;

    /**
     * For one rank.
     *
     * @param whose before the name of an output in findings
     */
    Specification(Subject subject, Operation operation, int worldSize, int rank, String whose, Arena arena) {
        this.subject = subject;
        this.operation = operation;
        this.worldSize = worldSize;
        this.rank = rank;
        shape = subject.shape();
        dtype = subject.dtype();
        int hidden = shape.hidden();
        inputRows = new float[worldSize][hidden];
        residualRow = new float[hidden];
        weightRow = new float[hidden];
        reducedRow = new float[hidden];
        residualOutRow = new float[hidden];
        outRow = new float[hidden];
        reducedChecker = new RowChecker(whose + "reduced", dtype, hidden, arena);
        residualOutChecker = new RowChecker(whose + "residual_out", dtype, hidden, arena);
        outChecker = new RowChecker(whose + "out", dtype, hidden, arena);
    }

    RandomTensor input(long iteration, int ofRank) {
        return RandomTensor.input(dtype, subject.seed(), iteration, ofRank);
    }

    RandomTensor residual(long iteration) {
        return RandomTensor.residual(dtype, subject.seed(), iteration);
    }

    RandomTensor weight(long iteration) {
        return RandomTensor.weight(dtype, subject.seed(), iteration);
    }

    /** Makes this rank's tensors of an iteration. */
    void fill(long iteration, MemorySegment input, MemorySegment residual, MemorySegment weight) {
        input(iteration, rank).fill(input, shape);
        residual(iteration).fill(residual, shape);
        weight(iteration).fill(weight, new Shape(1, shape.hidden()));
    }

    /** What is wrong in the outputs of each algorithm. */
    List<Tally> judge(long iteration, List<Outputs> outputs, DoubleConsumer progress) {
        List<Tally> tallies = new ArrayList<>(Collections.nCopies(outputs.size(), Tally.RIGHT));
        RandomTensor[] inputs = new RandomTensor[worldSize];
        for (int other = 0; other < inputs.length; other++) {
            inputs[other] = input(iteration, other);
        }
        RandomTensor residuals = residual(iteration);
        weight(iteration).row(0, weightRow);
        for (int row = 0; row < shape.tokens(); row++) {
            for (int other = 0; other < inputs.length; other++) {
                inputs[other].row(row, inputRows[other]);
            }
            residuals.row(row, residualRow);
            Reference.row(operation, inputRows, residualRow, weightRow, reducedRow, residualOutRow, outRow);
            reducedChecker.expect(reducedRow);
            residualOutChecker.expect(residualOutRow);
            outChecker.expect(outRow);
            for (int i = 0; i < outputs.size(); i++) {
                tallies.set(i, tallies.get(i).plus(check(outputs.get(i), row, iteration)));
            }
            progress.accept((double) row / shape.tokens());
        }
        return tallies;
    }

    /** What differs between outputs and those that have been judged. */
    Tally compare(long iteration, Outputs found, Outputs right) {
        Tally tally = Tally.RIGHT;
        for (int row = 0; row < shape.tokens(); row++) {
            residualOutChecker.expect(right.residualOut(), row);
            outChecker.expect(right.out(), row);
            if (right.reduced() != null) {
                reducedChecker.expect(right.reduced(), row);
            }
            tally = tally.plus(check(found, row, iteration));
        }
        return tally;
    }

    private Tally check(Outputs got, int row, long iteration) {
        Tally tally = residualOutChecker
                .check(got.residualOut(), row, rank, iteration)
                .plus(outChecker.check(got.out(), row, rank, iteration));
        return got.reduced() == null
                ? tally
                : reducedChecker.check(got.reduced(), row, rank, iteration).plus(tally);
    }

    /**
     * Writes the call of an iteration, and what this rank found.
     *
     * @param found one for each algorithm
     */
    void save(long iteration, List<Outputs> found, Path path) {
        List<TensorSpec> specs = new ArrayList<>();
        List<Long> dimensions = List.of((long) shape.tokens(), (long) shape.hidden());
        for (int other = 0; other < worldSize; other++) {
            specs.add(new TensorSpec("input." + other, dtype, dimensions));
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
                "found_on_rank", Integer.toString(rank),
                "epsilon", Float.toString(subject.epsilon()));
        try (SafeTensorsWriter writer = SafeTensorsWriter.create(path, specs, metadata)) {
            for (int other = 0; other < worldSize; other++) {
                input(iteration, other).fill(writer.tensor("input." + other), shape);
            }
            residual(iteration).fill(writer.tensor("residual"), shape);
            weight(iteration).fill(writer.tensor("weight"), new Shape(1, shape.hidden()));
            for (int i = 0; i < found.size(); i++) {
                String name = "found." + subject.algorithms().get(i);
                writer.tensor(name + ".residual_out").copyFrom(found.get(i).residualOut());
                writer.tensor(name + ".out").copyFrom(found.get(i).out());
            }
            writer.complete();
        }
    }
}
