package io.lockstep.cli.apply;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.ExitStatus;
import io.lockstep.cli.ranks.ThreadRanks;
import io.lockstep.cli.safetensors.SafeTensorsWriter;
import io.lockstep.cli.safetensors.TensorSpec;
import io.lockstep.core.Algorithm;
import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** Runs a call once, every rank a thread, and writes rank 0's outputs after comparing all ranks' with them. */
public final class Apply {
    private static final String REDUCED = "reduced";
    private static final String RESIDUAL_OUT = "residual_out";
    private static final String OUT = "out";

    private final Call call;
    private final Operation operation;
    private final boolean reduced;

    /**
     * Prepares a call.
     *
     * @param call its tensors
     * @param operation what is computed
     * @param reduced whether the sum is wanted too; it is the only output of an all-reduce alone
     */
    public Apply(Call call, Operation operation, boolean reduced) {
        this.call = call;
        this.operation = operation;
        this.reduced = reduced || (!operation.residual() && !operation.norm());
    }

    /** The names of the outputs, in the order of the file. */
    public List<String> outputs() {
        List<String> names = new ArrayList<>();
        if (reduced) {
            names.add(REDUCED);
        }
        if (operation.residual()) {
            names.add(RESIDUAL_OUT);
        }
        if (operation.norm()) {
            names.add(OUT);
        }
        return names;
    }

    /**
     * Runs it and writes the file.
     *
     * @return the algorithm that was taken
     */
    public Algorithm run(GroupSpec group, Path output) {
        List<TensorSpec> specs = outputs().stream()
                .map(name -> new TensorSpec(name, call.dtype(), call.shape()))
                .toList();
        AtomicReferenceArray<Algorithm> taken = new AtomicReferenceArray<>(call.worldSize());
        try (Arena arena = Arena.ofShared();
                SafeTensorsWriter writer = SafeTensorsWriter.create(output, specs, Map.of())) {
            List<List<MemorySegment>> results = new ArrayList<>();
            for (int rank = 0; rank < call.worldSize(); rank++) {
                boolean first = rank == 0;
                results.add(specs.stream()
                        .map(spec -> first ? writer.tensor(spec.name()) : arena.allocate(spec.bytes(), 64))
                        .toList());
            }
            ThreadRanks.run(
                    group,
                    communicator ->
                            taken.set(communicator.rank(), runRank(communicator, results.get(communicator.rank()))));
            requireSameBits(specs, results);
            writer.complete();
        }
        return taken.get(0);
    }

    private Algorithm runRank(Communicator communicator, List<MemorySegment> results) {
        Tensors tensors = Tensors.of(call.inputs().get(communicator.rank()).data());
        if (call.residual() != null) {
            tensors = tensors.withResidual(call.residual().data());
        }
        if (call.weight() != null) {
            tensors = tensors.withWeight(call.weight().data());
        }
        List<String> names = outputs();
        for (int i = 0; i < names.size(); i++) {
            MemorySegment result = results.get(i);
            tensors = switch (names.get(i)) {
                case REDUCED -> tensors.withReduced(result);
                case RESIDUAL_OUT -> tensors.withResidualOut(result);
                default -> tensors.withOut(result);
            };
        }
        try (Plan plan = communicator.plan(operation)) {
            plan.run(call.tokens(), tensors);
            return plan.algorithm(call.tokens());
        }
    }

    /** The contract: the same bits on every rank. */
    private void requireSameBits(List<TensorSpec> specs, List<List<MemorySegment>> results) {
        for (int rank = 1; rank < results.size(); rank++) {
            for (int i = 0; i < specs.size(); i++) {
                long differs =
                        results.get(rank).get(i).mismatch(results.getFirst().get(i));
                if (differs >= 0) {
                    long element = differs / call.dtype().bytes();
                    throw CommandFailure.of(
                            ExitStatus.WRONG,
                            "Rank " + rank + " has other bits than rank 0 in '"
                                    + specs.get(i).name() + "', row " + element / call.hidden() + ", column "
                                    + element % call.hidden()
                                    + ": the file is not written. Every rank must have the same; please report this.");
                }
            }
        }
    }
}
