package io.lockstep.cli.verify;

import io.lockstep.cli.inputs.Shape;
import io.lockstep.cli.ranks.Pulse;
import io.lockstep.cli.verify.VerifyOrder.Subject;
import io.lockstep.core.Algorithm;
import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.cpu.CpuDiagnostics;
import io.lockstep.core.cpu.Fault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * On ranks of the host. Iterations take turns in how the tensors are given:
 *
 * <pre>
 * iteration mod 4     0         1         2         3
 * input               private   lent      private   lent       lent up to 4 MiB a rank
 * reduced             asked     asked     –         –          asked up to 32 MiB a rank
 * </pre>
 *
 * The last algorithm writes in place (out over the input, residual_out over the residual), which also saves memory.
 */
final class HostTrial implements Trial {
    static final long MOST_LENT = 4L << 20;
    static final long MOST_REDUCED = 32L << 20;

    private static final long ALIGNMENT = 64;

    private final Communicator communicator;
    private final Subject subject;
    private final Shape shape;
    private final Operation operation;
    private final Arena arena = Arena.ofShared();
    private final List<Plan> plans = new ArrayList<>();
    private final List<Outputs> outputs = new ArrayList<>();
    private final @Nullable Gate gate;
    private final MemorySegment input;
    private final MemorySegment residual;
    private final MemorySegment weight;
    private final Specification specification;

    HostTrial(Communicator communicator, Subject subject) {
        this.communicator = communicator;
        this.subject = subject;
        this.shape = subject.shape();
        DType dtype = subject.dtype();
        this.operation = Operation.allReduceResidualRmsNorm(dtype, shape.hidden(), shape.tokens())
                .withEpsilon(subject.epsilon());
        for (String label : subject.algorithms()) {
            plans.add(plan(operation.withAlgorithm(Algorithm.of(label))));
        }
        gate = subject.fault() == null ? null : new Gate(communicator, arena);
        long bytes = shape.bytes(dtype);
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
        specification = new Specification(subject, operation, communicator.worldSize(), communicator.rank(), "", arena);
    }

    /** The native memory of one rank, without what the plans share. */
    static long privateBytes(Shape shape, DType dtype, int algorithms) {
        long bytes = shape.bytes(dtype);
        long reduced = bytes <= MOST_REDUCED ? algorithms : 0;
        return bytes * (2 + 2L * (algorithms - 1) + reduced);
    }

    private Plan plan(Operation planned) {
        String fault = subject.fault();
        return fault == null
                ? communicator.plan(planned)
                : CpuDiagnostics.plant(communicator, planned, Fault.of(fault), subject.faultyRank());
    }

    @Override
    public VerifyReport run(long first, int count, Pulse pulse) {
        List<Tally> tallies = new ArrayList<>(Collections.nCopies(plans.size(), Tally.RIGHT));
        for (int i = 0; i < count; i++) {
            long iteration = first + i;
            double before = (double) i / count;
            call(iteration);
            List<Outputs> got = outputs.stream()
                    .map(each -> new Outputs(each.residualOut(), each.out(), reducedOf(each, iteration)))
                    .toList();
            Tally.add(tallies, specification.judge(iteration, got, part -> pulse.beat(before + part / count)));
        }
        return new VerifyReport(tallies, count);
    }

    private void call(long iteration) {
        specification.fill(iteration, input, residual, weight);
        boolean lent = iteration % 2 == 1 && input.byteSize() <= MOST_LENT;
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

    private static @Nullable MemorySegment reducedOf(Outputs outputs, long iteration) {
        return iteration % 4 < 2 ? outputs.reduced() : null;
    }

    @Override
    public void save(long iteration, Path path) {
        specification.save(iteration, outputs, path);
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
