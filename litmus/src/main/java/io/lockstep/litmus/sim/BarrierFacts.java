package io.lockstep.litmus.sim;

import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Role;
import io.lockstep.core.protocol.Scope;
import io.lockstep.core.protocol.Step;
import java.util.List;

/**
 * What the steps between two data steps do to a machine.
 *
 * @param present whether flags are exchanged at all
 * @param releasesSystem whether stores are pushed out to the system before the flag
 * @param releasesOthers whether that covers the threads that do not poll
 * @param acquires how far caches are invalidated after the poll
 * @param acquiresOthers whether the threads that do not poll wait for that
 * @param everyThreadAcquires whether every thread invalidates once more by itself
 */
record BarrierFacts(
        boolean present,
        boolean releasesSystem,
        boolean releasesOthers,
        Reach acquires,
        boolean acquiresOthers,
        boolean everyThreadAcquires) {

    /** How far an invalidation goes. */
    enum Reach {
        NOTHING,
        L1,
        L1_AND_L2
    }

    /** No barrier. */
    static final BarrierFacts NONE = new BarrierFacts(false, false, false, Reach.NOTHING, false, false);

    static BarrierFacts of(List<Step> steps) {
        boolean present = false;
        boolean releases = false;
        boolean releasesOthers = false;
        boolean met = false;
        Reach acquires = Reach.NOTHING;
        boolean acquiresOthers = false;
        boolean all = false;
        for (Step step : steps) {
            switch (step) {
                case Step.WorkgroupBarrier barrier -> {
                    boolean full = barrier.reach() == Step.Reach.FULL;
                    met |= full && !present;
                    acquiresOthers |= full && present && acquires != Reach.NOTHING;
                }
                case Step.Fence fence -> {
                    boolean every = fence.role() == Role.ALL;
                    if (fence.order().releases() && fence.scope() == Scope.SYSTEM && !present) {
                        releases = true;
                        releasesOthers |= every || met;
                    }
                    if (present && fence.order().acquires()) {
                        all |= every;
                        acquires = wider(acquires, fence.order(), fence.scope());
                    }
                }
                case Step.StoreFlag store -> {
                    present = true;
                    if (store.order().releases() && store.scope() == Scope.SYSTEM) {
                        releases = true;
                        releasesOthers |= met;
                    }
                }
                case Step.AwaitFlag await -> acquires = wider(acquires, await.order(), await.scope());
                default -> {}
            }
        }
        return new BarrierFacts(present, releases, releasesOthers, acquires, acquiresOthers, all);
    }

    private static Reach wider(Reach before, Order order, Scope scope) {
        if (!order.acquires()) {
            return before;
        }
        Reach reach = scope == Scope.SYSTEM ? Reach.L1_AND_L2 : Reach.L1;
        return reach.compareTo(before) > 0 ? reach : before;
    }
}
