package io.lockstep.gpu.collective;

import io.lockstep.core.Operation;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelOptions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a plan is made of.
 *
 * @param id its number, the same on every rank
 * @param operation what is computed
 * @param options what the kernels were compiled with
 * @param exchanges what its calls may use; none where the vendor's library sums
 * @param layout of the memory that peers reach
 * @param mostCarriers blocks that carry rows, as all ranks agreed
 * @param stream of its calls
 * @param launch prepared on that stream, its arguments filled but for those of a call
 * @param report of its kernels
 * @param library the vendor's all-reduce in the place of an exchange; null where a call is exchanged
 * @param resources what it gives back when it closes
 */
record PlanSetup(
        int id,
        Operation operation,
        KernelOptions options,
        Set<Exchange> exchanges,
        RegionLayout layout,
        int mostCarriers,
        Stream stream,
        Launch launch,
        CallReport report,
        @Nullable LibraryRoute library,
        PlanResources resources) {}
