package io.lockstep.cli.apply;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.safetensors.SafeTensorsFile;
import io.lockstep.cli.safetensors.Tensor;
import io.lockstep.cli.safetensors.TensorSpec;
import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of one call, as a file gives them. A file without {@code residual} makes a call without one, a file
 * without {@code weight} a call without a norm; with neither it is the all-reduce alone.
 *
 * @param inputs the input of each rank, in rank order
 * @param residual what is added to the sum
 * @param weight the weight of the norm
 */
public record Call(
        List<Tensor> inputs,
        @Nullable Tensor residual,
        @Nullable Tensor weight) {
    /**
     * Finds the tensors and checks that they fit each other.
     *
     * @throws CommandFailure if one is missing or does not fit; it names the tensor
     */
    public static Call of(SafeTensorsFile file, Path path) {
        List<Tensor> inputs = new ArrayList<>();
        for (Optional<Tensor> next = file.tensor("input.0");
                next.isPresent();
                next = file.tensor("input." + inputs.size())) {
            inputs.add(next.get());
        }
        if (inputs.size() < 2 || inputs.size() > GroupSpec.MAX_WORLD_SIZE) {
            throw CommandFailure.usage(path + " has " + inputs.size()
                    + " inputs in a row from 'input.0' on: expected 2 to " + GroupSpec.MAX_WORLD_SIZE
                    + ", one for each rank. It holds: " + String.join(", ", file.names()) + ".");
        }
        long named =
                file.names().stream().filter(name -> name.startsWith("input.")).count();
        if (named != inputs.size()) {
            throw CommandFailure.usage(path + " has " + named + " tensors named 'input.…', but 'input." + inputs.size()
                    + "' is missing: number them from 0 without a gap.");
        }
        Call call = new Call(
                inputs,
                file.tensor("residual").orElse(null),
                file.tensor("weight").orElse(null));
        call.check(path);
        return call;
    }

    private void check(Path path) {
        TensorSpec first = first();
        if (first.shape().isEmpty() || first.elements() == 0 || first.elements() > Integer.MAX_VALUE) {
            throw CommandFailure.usage("The tensor 'input.0' in " + path + " has the shape " + first.shapeText()
                    + ": expected (tokens, hidden) with 1 to 2^31 - 1 elements.");
        }
        for (Tensor input : inputs) {
            same(path, input.spec(), first.shape());
        }
        if (residual != null) {
            same(path, residual.spec(), first.shape());
        }
        if (weight != null) {
            same(path, weight.spec(), List.of((long) hidden()));
        }
    }

    private void same(Path path, TensorSpec spec, List<Long> shape) {
        if (spec.dtype() != dtype()) {
            throw CommandFailure.usage("The tensor '" + spec.name() + "' in " + path + " is " + spec.dtype()
                    + " where 'input.0' is " + dtype() + ": all tensors of a call have one type.");
        }
        if (!spec.shape().equals(shape)) {
            throw CommandFailure.usage("The tensor '" + spec.name() + "' in " + path + " has the shape "
                    + spec.shapeText() + ": expected " + new TensorSpec("", dtype(), shape).shapeText()
                    + ", to go with 'input.0' of " + first().shapeText() + ".");
        }
    }

    private TensorSpec first() {
        return inputs.getFirst().spec();
    }

    /** The number of ranks. */
    public int worldSize() {
        return inputs.size();
    }

    /** The type of every tensor. */
    public DType dtype() {
        return first().dtype();
    }

    /** The length of a row: the last dimension. */
    public int hidden() {
        return Math.toIntExact(first().shape().getLast());
    }

    /** The number of rows: all other dimensions together. */
    public int tokens() {
        return Math.toIntExact(first().elements() / hidden());
    }

    /** The shape of the inputs and of every output. */
    public List<Long> shape() {
        return first().shape();
    }

    /** What is computed. */
    public Operation operation(float epsilon, Algorithm algorithm) {
        return new Operation(dtype(), hidden(), tokens(), epsilon, algorithm, residual != null, weight != null);
    }
}
