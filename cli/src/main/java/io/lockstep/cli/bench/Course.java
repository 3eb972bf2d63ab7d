package io.lockstep.cli.bench;

import io.lockstep.cli.inputs.RandomTensor;
import io.lockstep.cli.inputs.Shape;
import io.lockstep.core.Communicator;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.cpu.CpuDiagnostics;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One rank's plans and memory for one shape. Calls work in place, as serving engines make them: out over the input,
 * residual_out over the residual. Before each call both are written anew, outside the measured time.
 */
final class Course implements AutoCloseable {
    private static final long ALIGNMENT = 64;

    private static final long PIECE = 1 << 20;

    /** Any numbers will do: they only have to be ordinary ones. */
    private static final long SEED = 1;

    private final BenchOrder.Subject subject;
    private final Arena arena = Arena.ofShared();
    private final List<@Nullable Plan> plans = new ArrayList<>();
    private final List<Tensors> tensors = new ArrayList<>();
    private final MemorySegment freshInput;
    private final MemorySegment freshResidual;
    private final MemorySegment input;
    private final MemorySegment residual;

    Course(Communicator communicator, BenchOrder.Subject subject) {
        this.subject = subject;
        Shape shape = new Shape(subject.tokens(), subject.hidden());
        Operation operation = Operation.allReduceResidualRmsNorm(subject.dtype(), subject.hidden(), subject.tokens());
        long bytes = shape.elements() * subject.dtype().bytes();
        freshInput = arena.allocate(bytes, ALIGNMENT);
        freshResidual = arena.allocate(bytes, ALIGNMENT);
        input = arena.allocate(bytes, ALIGNMENT);
        residual = arena.allocate(bytes, ALIGNMENT);
        MemorySegment weight = arena.allocate(operation.rowBytes(), ALIGNMENT);
        RandomTensor.input(subject.dtype(), SEED, 0, communicator.rank()).fill(freshInput, shape);
        RandomTensor.residual(subject.dtype(), SEED, 0).fill(freshResidual, shape);
        RandomTensor.weight(subject.dtype(), SEED, 0).fill(weight, new Shape(1, subject.hidden()));
        Tensors lent = Tensors.lent()
                .withResidual(residual)
                .withWeight(weight)
                .withResidualOut(residual)
                .withOut(input);
        for (Variant variant : subject.variants()) {
            plans.add(plan(communicator, operation.withAlgorithm(variant.algorithm()), variant));
            tensors.add(variant.kind() == Variant.Kind.LENT ? lent : lent.withInput(input));
        }
    }

    private static @Nullable Plan plan(Communicator communicator, Operation operation, Variant variant) {
        return switch (variant.kind()) {
            case PRIVATE, LENT -> communicator.plan(operation);
            case UNFUSED -> CpuDiagnostics.unfused(communicator, operation);
            case COPY -> null;
            case EXTERNAL -> throw new IllegalArgumentException("An external program is not run by ranks.");
            case GPU, GPU_LIBRARY, GPU_UNFUSED ->
                throw new IllegalArgumentException("Ranks of the host cannot run " + variant.name() + ".");
        };
    }

    /** What each variant takes for this shape. */
    List<String> algorithms() {
        List<String> algorithms = new ArrayList<>();
        for (int i = 0; i < plans.size(); i++) {
            Plan plan = plans.get(i);
            boolean fused = subject.variants().get(i).kind() != Variant.Kind.UNFUSED;
            algorithms.add(
                    plan == null || !fused
                            ? "-"
                            : plan.algorithm(subject.tokens()).label());
        }
        return algorithms;
    }

    /** Writes the input and the residual anew. */
    void refresh(int variant) {
        copy(freshResidual, residual);
        if (subject.variants().get(variant).kind() == Variant.Kind.LENT) {
            MemorySegment buffer =
                    Objects.requireNonNull(plans.get(variant)).input().segment();
            copy(freshInput, buffer);
        } else {
            copy(freshInput, input);
        }
    }

    /**
     * In pieces: from 2.5 MB on the JVM copies past the caches, and what a layer before left in them would not be
     * there.
     */
    private static void copy(MemorySegment from, MemorySegment to) {
        for (long at = 0; at < from.byteSize(); at += PIECE) {
            MemorySegment.copy(from, at, to, at, Math.min(PIECE, from.byteSize() - at));
        }
    }

    /** What is measured. */
    void run(int variant) {
        Plan plan = plans.get(variant);
        if (plan == null) {
            copy(freshInput, input);
        } else {
            plan.run(subject.tokens(), tensors.get(variant));
        }
    }

    @Override
    public void close() {
        for (Plan plan : plans) {
            if (plan != null) {
                plan.close();
            }
        }
        arena.close();
    }
}
