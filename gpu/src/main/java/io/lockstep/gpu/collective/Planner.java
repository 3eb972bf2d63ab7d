package io.lockstep.gpu.collective;

import io.lockstep.core.DriverException;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;
import io.lockstep.core.group.Membership;
import io.lockstep.core.planning.Agreement;
import io.lockstep.core.planning.CacheFolder;
import io.lockstep.gpu.driver.Collectives;
import io.lockstep.gpu.driver.DeviceInfo;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.PeerMemory;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelCache;
import io.lockstep.gpu.kernel.KernelOptions;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes what a plan is made of, in step with all ranks: what one of them cannot do, fails on all. */
final class Planner {
    private static final String REFUSED = "refused: ";
    private static final byte RESERVED_BYTE = (byte) 0xFF;

    private final GroupSpec spec;
    private final Membership membership;
    private final Driver driver;
    private final DeviceInfo device;
    private final Agreement agreement;
    private final int sharers;
    private final PeerRegions sharing;
    private final KernelCache cache = new KernelCache(CacheFolder.path().resolve("kernels"));
    private int plans;

    Planner(GroupSpec spec, Membership membership, Driver driver, DeviceInfo device, Agreement agreement, int sharers) {
        this.spec = spec;
        this.membership = membership;
        this.driver = driver;
        this.device = device;
        this.agreement = agreement;
        this.sharers = sharers;
        sharing = new PeerRegions(driver, membership, agreement, spec.joinTimeout(), device.number());
    }

    /** For messages and keys of caches. */
    String sharing() {
        return sharers == 1 ? "alone" : "shared by " + sharers;
    }

    /** Collective. When this returns, every rank's memory is filled and reached by every rank. */
    PlanSetup make(Operation operation, Set<Exchange> exchanges, String source, @Nullable Stream given) {
        KernelOptions options = KernelOptions.of(operation, membership.worldSize());
        int id = plans + 1;
        agreement.requireSame(
                "the plan", "plan " + id + ": " + operation + " " + exchanges + ", kernels " + source.hashCode());
        plans = id;
        RegionLayout layout = RegionLayout.of(operation, options, exchanges);
        PlanResources resources = new PlanResources(driver, device.number());
        boolean done = false;
        try {
            Stream stream = given;
            PeerRegions.Own mine = null;
            long state = 0;
            CallReport report = null;
            String answer;
            try {
                resources.load(
                        cache.code(
                                driver.compiler(),
                                driver.version(),
                                device.architecture(),
                                source,
                                options.defines(membership.rank())),
                        options,
                        exchanges);
                stream = given == null ? resources.stream() : given;
                state = resources.memory(KernelArguments.STATE_BYTES);
                report = new CallReport(resources.pinned(CallReport.BYTES));
                mine = exchanges.isEmpty() ? null : resources.region(sharing, layout.bytes());
                answer = Integer.toString(Geometry.mostCarriers(
                        resources.blocksPerMultiprocessor(options.threads()), device.multiprocessors(), sharers));
            } catch (DriverException e) {
                answer = REFUSED + e.getMessage();
            }
            int mostCarriers = agree("what the devices can hold", answer);
            if (report == null || stream == null) {
                throw new IllegalStateException("A refusal was agreed on and not heard.");
            }
            LibraryRoute library = exchanges.isEmpty() ? library(operation, options, resources) : null;
            List<PeerMemory> regions = List.of();
            try {
                if (mine != null) {
                    regions = resources.reach(sharing, mine);
                    PeerMemory memory = mine.memory();
                    driver.fill(stream, memory.address(), (byte) 0, memory.bytes());
                    if (layout.wordBytes() > 0) {
                        driver.fill(stream, memory.address() + RegionLayout.AT_ROWS, RESERVED_BYTE, layout.wordBytes());
                    }
                }
                driver.fill(stream, state, (byte) 0, KernelArguments.STATE_BYTES);
                driver.synchronize(stream);
                answer = Integer.toString(mostCarriers);
            } catch (DriverException e) {
                answer = REFUSED + e.getMessage();
            }
            // After this every rank's memory is filled and reached, so that calls may begin.
            agree("the plan's memory", answer);
            Launch launch = resources.launch(stream, options.threads());
            new KernelArguments(launch.arguments())
                    .fix(
                            regions,
                            state,
                            report.memory().address(),
                            spec.callTimeout().toNanos(),
                            layout,
                            operation.maxTokens(),
                            membership.rank(),
                            operation.epsilon());
            done = true;
            return new PlanSetup(
                    id,
                    operation,
                    options,
                    exchanges,
                    layout,
                    mostCarriers,
                    stream,
                    launch,
                    report,
                    library,
                    resources);
        } finally {
            if (!done) {
                closeQuietly(resources);
            }
        }
    }

    private LibraryRoute library(Operation operation, KernelOptions options, PlanResources resources) {
        Collectives library = driver.collectives()
                .orElseThrow(() -> new DriverException("The library of collectives of " + driver.name()
                        + " was not found: install it (for NVIDIA the package libnccl2, or the Python package"
                        + " nvidia-nccl), or name its file in LOCKSTEP_NCCL."));
        String group = agreement.decide(
                "a group of " + library.identity(),
                membership.rank() == 0 ? HexFormat.of().formatHex(library.newGroup()) : "");
        long member =
                resources.member(library, HexFormat.of().parseHex(group), membership.worldSize(), membership.rank());
        return new LibraryRoute(library, member, resources.memory(operation.maxTokens() * options.rowBytes()));
    }

    /** The fewest that any rank answers, or the first refusal. */
    private int agree(String what, String answer) {
        List<String> all = agreement.gather(what, answer);
        int fewest = Integer.MAX_VALUE;
        for (int rank = 0; rank < all.size(); rank++) {
            if (all.get(rank).startsWith(REFUSED)) {
                throw new DriverException(membership.describe(rank) + " cannot make the plan: "
                        + all.get(rank).substring(REFUSED.length()));
            }
            fewest = Math.min(fewest, Integer.parseInt(all.get(rank)));
        }
        if (fewest < 1) {
            throw new DriverException("The kernels of all ranks do not fit on a device together: let fewer ranks share"
                    + " one, or plan shorter rows.");
        }
        return fewest;
    }

    private static void closeQuietly(PlanResources resources) {
        try {
            resources.close();
        } catch (DriverException e) {
            System.getLogger(Planner.class.getName())
                    .log(System.Logger.Level.DEBUG, "A plan that failed did not give everything back.", e);
        }
    }
}
