package io.lockstep.gpu.collective;

import io.lockstep.core.Operation;
import io.lockstep.gpu.driver.Collectives;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.Stream;

/**
 * The operation in two kernels: the vendor's all-reduce, then everything after the sum in one of ours. The library
 * rounds at every step of its own order of additions, so the bits are not those of the contract.
 */
final class LibraryRoute {
    private final Collectives library;
    private final long member;

    /** Room for the sums of a call that does not want them. */
    private final long scratch;

    LibraryRoute(Collectives library, long member, long scratch) {
        this.library = library;
        this.member = member;
        this.scratch = scratch;
    }

    void queue(int tokens, Operation operation, DeviceOperands operands, KernelArguments arguments, PlanSetup setup) {
        long sums = operands.reduced.given() ? operands.reduced.address() : scratch;
        Stream stream = setup.stream();
        library.allReduce(
                member, operands.input.address(), sums, (long) tokens * operation.hidden(), operation.dtype(), stream);
        if (operation.residual() || operation.norm()) {
            arguments.tensor(KernelArguments.INPUT, sums);
            arguments.tensor(KernelArguments.REDUCED, 0);
            int blocks = Math.min(tokens, setup.mostCarriers());
            arguments.call(tokens, blocks);
            Launch launch = setup.launch();
            launch.launch(setup.resources().finish(operands.whole()), blocks);
        }
    }
}
