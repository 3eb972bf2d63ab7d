package io.lockstep.gpu.kernel;

import io.lockstep.core.protocol.Epoch;
import io.lockstep.core.protocol.Home;
import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Role;
import io.lockstep.core.protocol.Scope;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The steps of protocols as the kernels get them: {@code protocol.h}, in the vocabulary of {@code port.h}. The file
 * beside the other kernel files is the text for the default protocols.
 *
 * <p>On AMD GPUs a work-group barrier neither waits for stores nor drops what a cache holds. Where the pollers release,
 * every wave drains its stores before the barrier in front of them; where they acquire from the system, every wave
 * acquires behind the barrier that follows. A protocol that does neither gets no help.
 */
public final class ProtocolText {
    private static final String INDENT = "    ";

    /** One place in the kernels where flags are exchanged, by the name of the buffer of flags. */
    private enum Place {
        REARMED,
        START,
        MIDDLE,
        END
    }

    private ProtocolText() {}

    /** Of the protocols that Lockstep runs. */
    public static String defaults() {
        return text("the default protocols", "", defaultSteps());
    }

    /**
     * Of one protocol, the others as they are by default.
     *
     * @throws IllegalArgumentException if the kernels have no place or no word for one of its steps
     */
    public static String of(Protocol protocol) {
        Map<Place, List<Step>> steps = defaultSteps();
        steps.putAll(places(protocol));
        return text("the protocol " + protocol.name(), protocol.summary(), steps);
    }

    /**
     * Which kernel makes the steps of a protocol.
     *
     * @throws IllegalArgumentException if none does
     */
    public static Exchange exchange(Protocol protocol) {
        boolean words = protocol.steps().stream().anyMatch(step -> step instanceof Step.SendWords);
        long sent = protocol.steps().stream()
                .filter(step -> step instanceof Step.SendWords
                        || step instanceof Step.WriteData write && write.home() == Home.PEERS)
                .count();
        long read = protocol.steps().stream()
                .filter(step -> step instanceof Step.ReadData data && data.home() == Home.PEERS)
                .count();
        if (words) {
            return sent == 1 ? Exchange.ONE_SHOT_PUSH : Exchange.TWO_SHOT_PUSH;
        }
        if (protocol.isCpu() || read != 1 || sent > 1) {
            throw new IllegalArgumentException("The protocol " + protocol.name()
                    + " is none of the kernels': expected one that pulls, or that" + " sends words.");
        }
        return sent == 0 ? Exchange.ONE_SHOT_PULL : Exchange.TWO_SHOT_PULL;
    }

    private static Map<Place, List<Step>> defaultSteps() {
        Map<Place, List<Step>> steps = new EnumMap<>(Place.class);
        steps.putAll(places(Protocols.twoShotPush()));
        steps.putAll(places(Protocols.oneShotPull()));
        steps.putAll(places(Protocols.twoShotPull()));
        return steps;
    }

    /** The runs of steps between those that move data. */
    private static Map<Place, List<Step>> places(Protocol protocol) {
        Exchange exchange = exchange(protocol);
        if (exchange.push()) {
            return Map.of(
                    Place.REARMED,
                    protocol.steps().stream().filter(ProtocolText::orders).toList());
        }
        List<List<Step>> runs = new ArrayList<>(List.of(new ArrayList<>()));
        for (Step step : protocol.steps()) {
            if (orders(step)) {
                runs.getLast().add(step);
            } else if (step instanceof Step.ReadData) {
                runs.add(new ArrayList<>());
            }
        }
        return Map.of(Place.START, runs.get(0), exchange.twoShot() ? Place.MIDDLE : Place.END, runs.get(1));
    }

    private static boolean orders(Step step) {
        return step instanceof Step.Fence
                || step instanceof Step.StoreFlag
                || step instanceof Step.AwaitFlag
                || step instanceof Step.WorkgroupBarrier;
    }

    private static String text(String what, String summary, Map<Place, List<Step>> steps) {
        StringBuilder text = new StringBuilder();
        text.append("// The steps of ").append(what).append(" in io.lockstep.core.protocol, in the words of port.h.\n");
        text.append(summary.isEmpty() ? "// Another protocol replaces this file.\n" : "// " + summary + "\n");
        text.append("#ifndef LS_PROTOCOL_H\n#define LS_PROTOCOL_H\n");
        steps.forEach((place, list) -> text.append('\n').append(macro(place, list)));
        return text.append("\n#endif\n").toString();
    }

    private static String macro(Place place, List<Step> steps) {
        List<String> lines = new ArrayList<>();
        lines.add("#define LS_" + place + "_STEPS");
        boolean releases = steps.stream().anyMatch(step -> step.role() == Role.POLLERS && releases(step));
        boolean acquires = steps.stream().anyMatch(step -> step.role() == Role.POLLERS && acquires(step));
        boolean flagsSeen = false;
        for (Step step : steps) {
            boolean barrier = step instanceof Step.WorkgroupBarrier;
            flagsSeen |= step instanceof Step.StoreFlag;
            if (barrier && releases && !flagsSeen) {
                lines.add(INDENT + "ls_wave_drain();");
            }
            lines.add(INDENT + line(place, step));
            if (barrier && acquires && flagsSeen) {
                lines.add(INDENT + "ls_acquire_all();");
            }
        }
        return String.join(" \\\n", lines) + "\n";
    }

    private static boolean releases(Step step) {
        return switch (step) {
            case Step.Fence fence -> fence.order().releases();
            case Step.StoreFlag store -> store.order().releases();
            default -> false;
        };
    }

    private static boolean acquires(Step step) {
        return switch (step) {
            case Step.Fence fence -> fence.order().acquires() && fence.scope() == Scope.SYSTEM;
            case Step.AwaitFlag await -> await.order().acquires() && await.scope() == Scope.SYSTEM;
            default -> false;
        };
    }

    private static String line(Place place, Step step) {
        String line = switch (step) {
            case Step.WorkgroupBarrier barrier ->
                worded(barrier, barrier.reach() == Step.Reach.FULL, "ls_syncthreads();");
            case Step.Fence fence -> worded(fence, fence.makesAvailable(), fence(fence));
            case Step.StoreFlag store ->
                worded(
                        store,
                        store.scope() == Scope.SYSTEM && store.ahead() == 0,
                        flag(
                                "STORE",
                                Set.of(Order.RELAXED, Order.RELEASE),
                                place,
                                store.order(),
                                store.scope(),
                                store.epoch()));
            case Step.AwaitFlag await ->
                worded(
                        await,
                        await.comparison() == Step.Comparison.AT_LEAST,
                        flag(
                                "AWAIT",
                                Set.of(Order.RELAXED, Order.ACQUIRE),
                                place,
                                await.order(),
                                await.scope(),
                                await.epoch()));
            default -> throw wordless(step);
        };
        return switch (step.role()) {
            case ALL -> line;
            case POLLERS -> "LS_POLLERS(" + line + ")";
            case OTHERS -> throw wordless(step);
        };
    }

    private static String worded(Step step, boolean known, String word) {
        if (!known) {
            throw wordless(step);
        }
        return word;
    }

    private static String fence(Step.Fence fence) {
        String order = switch (fence.order()) {
            case RELEASE -> "release";
            case ACQUIRE -> "acquire";
            case SEQUENTIALLY_CONSISTENT -> "sc";
            case WEAK, RELAXED, ACQUIRE_RELEASE -> throw wordless(fence);
        };
        return "ls_fence_" + order + "_" + scope(fence, fence.scope()) + "();";
    }

    private static String flag(String access, Set<Order> orders, Place place, Order order, Scope scope, Epoch epoch) {
        if (!orders.contains(order) || scope == Scope.WORKGROUP) {
            throw new IllegalArgumentException("The kernels have no flag that is " + order.label() + " at the scope "
                    + scope.label() + ": expected one of " + orders + " among devices.");
        }
        String number = epoch.lag() == 0 ? "call.epoch" : "call.epoch - " + epoch.lag();
        return "LS_" + access + "_FLAG(" + order.label() + "_" + scope.label() + ", " + place + ", " + number + ")";
    }

    private static String scope(Step step, Scope scope) {
        if (scope == Scope.WORKGROUP) {
            throw wordless(step);
        }
        return scope.label();
    }

    private static IllegalArgumentException wordless(Step step) {
        return new IllegalArgumentException("port.h has no word for the step " + step + ".");
    }
}
