package io.lockstep.core.protocol;

import io.lockstep.core.protocol.Step.AwaitFlag;
import io.lockstep.core.protocol.Step.Comparison;
import io.lockstep.core.protocol.Step.Fence;
import io.lockstep.core.protocol.Step.Reach;
import io.lockstep.core.protocol.Step.StoreFlag;
import io.lockstep.core.protocol.Step.WorkgroupBarrier;
import java.util.ArrayList;
import java.util.List;

/** The shapes of a barrier between devices: the one to use, and those that were used before it. */
public final class Barriers {
    private Barriers() {}

    /**
     * The barrier to use: a release fence, relaxed flags, an acquire fence, all by the pollers between two full
     * work-group barriers. Polling relaxed keeps cache invalidations out of the loop.
     */
    public static List<Step> fenced(Buffer flags) {
        return around(
                Reach.FULL,
                List.of(
                        new Fence(Role.POLLERS, Order.RELEASE, Scope.SYSTEM),
                        new StoreFlag(Role.POLLERS, flags, Epoch.THIS_ROUND, Order.RELAXED, Scope.SYSTEM),
                        await(flags, Order.RELAXED, Scope.SYSTEM),
                        new Fence(Role.POLLERS, Order.ACQUIRE, Scope.SYSTEM)),
                Reach.FULL);
    }

    /** Ordered accesses instead of fences, between two full work-group barriers. The store's scope is the system. */
    public static List<Step> ordered(Buffer flags, Order store, Order await, Scope awaitScope) {
        return around(Reach.FULL, flagPair(flags, store, await, awaitScope), Reach.FULL);
    }

    /** Release and acquire at system scope, with work-group barriers of the given kinds. */
    public static List<Step> releaseAcquire(Buffer flags, Reach before, Reach after) {
        return around(before, flagPair(flags, Order.RELEASE, Order.ACQUIRE, Scope.SYSTEM), after);
    }

    /**
     * A system-wide fence by every thread, then relaxed flags: what {@code __threadfence_system()} and volatile give.
     */
    public static List<Step> threadFence(Buffer flags) {
        List<Step> steps = new ArrayList<>();
        steps.add(new Fence(Role.ALL, Order.SEQUENTIALLY_CONSISTENT, Scope.SYSTEM));
        steps.addAll(ordered(flags, Order.RELAXED, Order.RELAXED, Scope.SYSTEM));
        return List.copyOf(steps);
    }

    /** Fences that order and move nothing between caches: AMDGPU's {@code amdgcn-av none}. */
    public static List<Step> unavailable(Buffer flags) {
        return around(
                Reach.FULL,
                List.of(
                        new Fence(Role.POLLERS, Order.RELEASE, Scope.SYSTEM, false),
                        new StoreFlag(Role.POLLERS, flags, Epoch.THIS_ROUND, Order.RELAXED, Scope.SYSTEM),
                        await(flags, Order.RELAXED, Scope.SYSTEM),
                        new Fence(Role.POLLERS, Order.ACQUIRE, Scope.SYSTEM, false)),
                Reach.FULL);
    }

    /** The barrier, and then an acquire fence at system scope by every thread. */
    public static List<Step> thenAcquiredByAll(List<Step> barrier) {
        List<Step> steps = new ArrayList<>(barrier);
        steps.add(new Fence(Role.ALL, Order.ACQUIRE, Scope.SYSTEM));
        return List.copyOf(steps);
    }

    private static List<Step> flagPair(Buffer flags, Order store, Order await, Scope awaitScope) {
        return List.of(
                new StoreFlag(Role.POLLERS, flags, Epoch.THIS_ROUND, store, Scope.SYSTEM),
                await(flags, await, awaitScope));
    }

    private static AwaitFlag await(Buffer flags, Order order, Scope scope) {
        return new AwaitFlag(Role.POLLERS, flags, Epoch.THIS_ROUND, Comparison.AT_LEAST, order, scope);
    }

    private static List<Step> around(Reach before, List<Step> middle, Reach after) {
        List<Step> steps = new ArrayList<>();
        steps.add(new WorkgroupBarrier(before));
        steps.addAll(middle);
        steps.add(new WorkgroupBarrier(after));
        return List.copyOf(steps);
    }
}
