package io.lockstep.gpu.collective;

import io.lockstep.core.Operation;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelOptions;
import java.util.Set;

/**
 * What a plan is made of.
 *
 * @param id its number, the same on every rank
 * @param operation what is computed
 * @param options what the kernels were compiled with
 * @param exchanges what its calls may use
 * @param layout of the memory that peers reach
 * @param mostCarriers blocks that carry rows, as all ranks agreed
 * @param stream of its calls
 * @param launch prepared on that stream, its arguments filled but for those of a call
 * @param report of its kernels
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
        PlanResources resources) {}
