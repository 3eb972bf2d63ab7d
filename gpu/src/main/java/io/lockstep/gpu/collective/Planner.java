package io.lockstep.gpu.collective;

import io.lockstep.core.DriverException;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;
import io.lockstep.core.group.Membership;
import io.lockstep.core.planning.Agreement;
import io.lockstep.core.planning.CacheFolder;
import io.lockstep.gpu.driver.DeviceInfo;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.PeerMemory;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelCache;
import io.lockstep.gpu.kernel.KernelOptions;
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

    Planner(
            GroupSpec spec,
            Membership membership,
            Driver driver,
            DeviceInfo device,
            Agreement agreement,
            int sharers,
            boolean acrossProcesses) {
        this.spec = spec;
        this.membership = membership;
        this.driver = driver;
        this.device = device;
        this.agreement = agreement;
        this.sharers = sharers;
        sharing = new PeerRegions(driver, membership, agreement, device.number(), acrossProcesses);
    }

    /** For messages and keys of caches. */
    String sharing() {
        return sharers == 1 ? "alone" : "shared by " + sharers;
    }

    /** Collective. The memory is filled when this returns, on this rank. */
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
            PeerMemory mine = null;
            long state = 0;
            CallReport report = null;
            String answer;
            try {
                resources.load(
                        cache.code(
                                driver.compiler(), driver.version(), device.architecture(), source, options.defines()),
                        options,
                        exchanges);
                stream = given == null ? resources.stream() : given;
                state = resources.memory(KernelArguments.STATE_BYTES);
                report = new CallReport(resources.pinned(CallReport.BYTES));
                mine = resources.region(sharing, layout.bytes());
                answer = Integer.toString(Geometry.mostCarriers(
                        resources.blocksPerMultiprocessor(options.threads()), device.multiprocessors(), sharers));
            } catch (DriverException e) {
                answer = REFUSED + e.getMessage();
            }
            int mostCarriers = agree(answer);
            if (mine == null || report == null || stream == null) {
                throw new IllegalStateException("A refusal was agreed on and not heard.");
            }
            List<PeerMemory> regions = resources.reach(sharing, mine);
            driver.fill(stream, mine.address(), (byte) 0, mine.bytes());
            if (layout.wordBytes() > 0) {
                driver.fill(stream, mine.address() + RegionLayout.AT_ROWS, RESERVED_BYTE, layout.wordBytes());
            }
            driver.fill(stream, state, (byte) 0, KernelArguments.STATE_BYTES);
            driver.synchronize(stream);
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
                    id, operation, options, exchanges, layout, mostCarriers, stream, launch, report, resources);
        } finally {
            if (!done) {
                closeQuietly(resources);
            }
        }
    }

    /** The fewest that any rank answers, or the first refusal. */
    private int agree(String answer) {
        List<String> all = agreement.gather("what the devices can hold", answer);
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
