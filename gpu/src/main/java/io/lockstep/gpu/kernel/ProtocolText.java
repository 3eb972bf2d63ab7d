package io.lockstep.gpu.kernel;

import io.lockstep.core.UsageException;
import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Role;
import io.lockstep.core.protocol.Scope;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Writes the steps of a protocol in the vocabulary of the kernels: the file {@code protocol.h}. Each flag buffer of the
 * protocol is one macro, which a kernel names where its barrier stands; those that the protocol does not have keep the
 * steps of the default ones.
 */
public final class ProtocolText {
    private static final String REARMED = "rearmed";
    private static final String START = "start";
    private static final String MIDDLE = "middle";
    private static final String END = "end";

    private ProtocolText() {}

    /** The exchange that can run a protocol: one whose kernels have the same accesses between the same barriers. */
    public static Exchange exchange(Protocol protocol) {
        List<String> shape = shape(protocol);
        for (Exchange exchange : Exchange.values()) {
            Protocol own = Protocols.named(exchange.label()).orElseThrow();
            if (shape.equals(shape(own))) {
                return exchange;
            }
        }
        throw new UsageException("The kernels have no exchange for the protocol '" + protocol.name()
                + "': expected one with the accesses of one-shot or two-shot, push or pull.");
    }

    /** What a protocol does to data, its barriers left out. */
    private static List<String> shape(Protocol protocol) {
        return protocol.steps().stream()
                .filter(step -> step instanceof Step.WriteData
                        || step instanceof Step.ReadData
                        || step instanceof Step.SendWords
                        || step instanceof Step.ReceiveWords
                        || step instanceof Step.RearmWords)
                .map(Object::toString)
                .toList();
    }

    /** The default file. */
    public static String render() {
        return render(
                "the default protocols",
                steps(Protocols.oneShotPush(), REARMED),
                steps(Protocols.twoShotPull(), START),
                steps(Protocols.twoShotPull(), MIDDLE),
                steps(Protocols.oneShotPull(), END));
    }

    /** The file with the barriers of this protocol. */
    public static String render(Protocol protocol) {
        Exchange exchange = exchange(protocol);
        boolean pull = !exchange.push();
        return render(
                "the protocol " + protocol.name(),
                steps(pull ? Protocols.oneShotPush() : protocol, REARMED),
                steps(pull ? protocol : Protocols.twoShotPull(), START),
                steps(exchange == Exchange.TWO_SHOT_PULL ? protocol : Protocols.twoShotPull(), MIDDLE),
                steps(exchange == Exchange.ONE_SHOT_PULL ? protocol : Protocols.oneShotPull(), END));
    }

    private static String render(
            String what, List<String> rearmed, List<String> start, List<String> middle, List<String> end) {
        return "// The steps of " + what + ", in the vocabulary of port.h: rendered from\n"
                + "// io.lockstep.core.protocol.Protocols by io.lockstep.gpu.kernel.ProtocolText.\n"
                + "#ifndef LS_PROTOCOL_H\n#define LS_PROTOCOL_H\n\n"
                + macro("LS_REARMED_STEPS", rearmed)
                + macro("LS_START_STEPS", start)
                + macro("LS_MIDDLE_STEPS", middle)
                + macro("LS_END_STEPS", end)
                + "#endif\n";
    }

    private static String macro(String name, List<String> lines) {
        return lines.stream()
                .map(line -> " \\\n    " + line)
                .collect(Collectors.joining("", "#define " + name, "\n\n"));
    }

    /**
     * The steps of the barrier with these flags: from the step after the last access to data to the one before the
     * next, where all flags between are these. A push protocol's are all its fences and flags, in order.
     */
    private static List<String> steps(Protocol protocol, String flags) {
        List<String> lines = new ArrayList<>();
        List<Step> barrier = new ArrayList<>();
        for (Step step : protocol.steps()) {
            if (isBarrier(step)) {
                barrier.add(step);
            } else if (!flags.equals(REARMED)) {
                if (belongs(barrier, flags)) {
                    break;
                }
                barrier.clear();
            }
        }
        if (flags.equals(REARMED) || belongs(barrier, flags)) {
            boolean releases = barrier.stream().anyMatch(step -> order(step).releases());
            boolean acquires = barrier.stream().anyMatch(step -> order(step).acquires());
            barrier.forEach(step -> add(step, releases, acquires, lines));
        }
        return lines;
    }

    private static Order order(Step step) {
        return switch (step) {
            case Step.Fence fence -> fence.order();
            case Step.StoreFlag store -> store.order();
            case Step.AwaitFlag await -> await.order();
            default -> Order.RELAXED;
        };
    }

    private static boolean isBarrier(Step step) {
        return step instanceof Step.Fence
                || step instanceof Step.StoreFlag
                || step instanceof Step.AwaitFlag
                || step instanceof Step.WorkgroupBarrier;
    }

    private static boolean belongs(List<Step> barrier, String flags) {
        return barrier.stream()
                .anyMatch(step -> step instanceof Step.StoreFlag store
                        && store.flags().name().equals(flags));
    }

    private static void add(Step step, boolean releases, boolean acquires, List<String> lines) {
        switch (step) {
            case Step.WorkgroupBarrier barrier -> {
                if (barrier.reach() != Step.Reach.FULL) {
                    throw new IllegalArgumentException(
                            "The kernels have no work-group barrier that orders local memory" + " alone: " + step);
                }
                // Where the pollers release, each wave first waits for its own stores; where they acquire, each wave
                // then sees what they have seen.
                boolean first = lines.isEmpty();
                if (first && releases) {
                    lines.add("ls_wave_drain();");
                }
                lines.add("ls_syncthreads();");
                if (!first && acquires) {
                    lines.add("ls_acquire_all();");
                }
            }
            case Step.Fence fence ->
                lines.add(by(fence.role(), "ls_fence_" + how(fence.order(), fence.scope()) + "();"));
            case Step.StoreFlag store ->
                lines.add(by(
                        store.role(),
                        "LS_STORE_FLAG(" + how(store.order(), store.scope()) + ", "
                                + store.flags().name().toUpperCase(Locale.ROOT) + ", "
                                + epoch(store.epoch().lag()) + ")"));
            case Step.AwaitFlag await ->
                lines.add(by(
                        await.role(),
                        "LS_AWAIT_FLAG(" + how(await.order(), await.scope()) + ", "
                                + await.flags().name().toUpperCase(Locale.ROOT) + ", "
                                + epoch(await.epoch().lag()) + ")"));
            default -> throw new IllegalArgumentException("No step of a barrier: " + step);
        }
    }

    private static String by(Role role, String what) {
        return role == Role.POLLERS ? "LS_POLLERS(" + what + ")" : what;
    }

    private static String how(Order order, Scope scope) {
        return order.label() + "_" + scope.label();
    }

    private static String epoch(int lag) {
        return lag == 0 ? "call.epoch" : "call.epoch - " + lag;
    }
}
