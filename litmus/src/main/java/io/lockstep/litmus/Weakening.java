package io.lockstep.litmus;

import io.lockstep.core.protocol.Buffer;
import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Promise;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Reachability;
import io.lockstep.core.protocol.Scope;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A protocol with one thing made weaker: a scope one step narrower, an order one step down, a fence, barrier or kernel
 * boundary left out, a barrier of local memory only, a buffer with one copy fewer. Each must be caught, or be known to
 * be redundant: a strength that nobody can show the need of is a cost, and a checker that misses one is blind.
 *
 * @param description what was weakened
 * @param protocol the weaker protocol
 */
public record Weakening(String description, Protocol protocol) {

    /** The weakenings that change no verdict, each with the reason why the strength is kept. */
    public static Map<String, String> redundant() {
        return Map.of(
                "cpu-two-shot (staging: 3 copies)",
                "awaiting the shared parts of a chunk already orders the staging of the chunk before it; the fourth copy"
                        + " is kept so that one layout of slots serves both CPU protocols");
    }

    /** Whether some model shows a broken promise, with two devices and calls. */
    public boolean isCaught() {
        return Setting.of(protocol).stream()
                .anyMatch(setting -> Judge.judge(protocol, setting).found() == Reachability.REACHABLE);
    }

    /** Every single weakening of a protocol. */
    public static List<Weakening> of(Protocol protocol) {
        List<Weakening> all = new ArrayList<>();
        for (int i = 0; i < protocol.steps().size(); i++) {
            Step step = protocol.steps().get(i);
            for (Variant variant : variants(step, protocol)) {
                List<Step> steps = new ArrayList<>(protocol.steps());
                steps.remove(i);
                steps.addAll(i, variant.steps());
                String description = describe(protocol, i) + ": " + variant.change();
                all.add(new Weakening(
                        description, protocol.withSteps(protocol.name() + " (" + description + ")", steps)));
            }
        }
        for (Buffer buffer : buffers(protocol)) {
            if (buffer.copies() > 1) {
                all.add(fewerCopies(protocol, buffer));
            }
        }
        return all;
    }

    private record Variant(String change, List<Step> steps) {}

    private static List<Variant> variants(Step step, Protocol protocol) {
        List<Variant> found = new ArrayList<>();
        switch (step) {
            case Step.WorkgroupBarrier barrier -> {
                found.add(new Variant("left out", List.of()));
                if (barrier.reach() == Step.Reach.FULL && protocol.models().contains(Model.AMDGPU)) {
                    found.add(new Variant(
                            "local memory only", List.of(new Step.WorkgroupBarrier(Step.Reach.LOCAL_ONLY))));
                }
            }
            case Step.Fence fence -> {
                found.add(new Variant("left out", List.of()));
                if (fence.scope() != Scope.WORKGROUP) {
                    Scope scope = narrower(fence.scope());
                    found.add(new Variant(
                            "scope ." + scope.label(),
                            List.of(new Step.Fence(fence.role(), fence.order(), scope, fence.makesAvailable()))));
                }
            }
            case Step.StoreFlag store -> {
                for (Access access : weaker(store.order(), store.scope(), protocol)) {
                    found.add(new Variant(
                            access.change(),
                            List.of(new Step.StoreFlag(
                                    store.role(),
                                    store.flags(),
                                    store.epoch(),
                                    access.order(),
                                    access.scope(),
                                    store.ahead()))));
                }
            }
            case Step.AwaitFlag await -> {
                for (Access access : weaker(await.order(), await.scope(), protocol)) {
                    found.add(new Variant(
                            access.change(),
                            List.of(new Step.AwaitFlag(
                                    await.role(),
                                    await.flags(),
                                    await.epoch(),
                                    await.comparison(),
                                    access.order(),
                                    access.scope()))));
                }
            }
            case Step.SendWords send -> {
                for (Access access : weaker(send.order(), send.scope(), protocol)) {
                    found.add(new Variant(
                            access.change(),
                            List.of(new Step.SendWords(send.role(), send.words(), access.order(), access.scope()))));
                }
            }
            case Step.ReceiveWords receive -> {
                for (Access access : weaker(receive.order(), receive.scope(), protocol)) {
                    found.add(new Variant(
                            access.change(),
                            List.of(new Step.ReceiveWords(
                                    receive.role(), receive.words(), access.order(), access.scope()))));
                }
            }
            case Step.RearmWords rearm -> {
                for (Access access : weaker(rearm.order(), rearm.scope(), protocol)) {
                    found.add(new Variant(
                            access.change(),
                            List.of(new Step.RearmWords(
                                    rearm.role(), rearm.words(), rearm.epoch(), access.order(), access.scope()))));
                }
            }
            case Step.KernelBoundary boundary -> {
                if (boundary.always()) {
                    found.add(new Variant("left out", List.of()));
                }
            }
            case Step.WriteData write -> {}
            case Step.ReadData read -> {}
        }
        return found;
    }

    private record Access(String change, Order order, Scope scope) {}

    private static List<Access> weaker(Order order, Scope scope, Protocol protocol) {
        List<Access> found = new ArrayList<>();
        Order down = order == Order.RELAXED ? Order.WEAK : Order.RELAXED;
        if (order != Order.WEAK) {
            found.add(new Access("." + down.label(), down, scope));
        }
        if (scope != Scope.WORKGROUP && order != Order.WEAK && !protocol.isCpu()) {
            Scope narrow = narrower(scope);
            found.add(new Access("scope ." + narrow.label(), order, narrow));
        }
        return found;
    }

    private static Scope narrower(Scope scope) {
        return scope == Scope.SYSTEM ? Scope.DEVICE : Scope.WORKGROUP;
    }

    private static Weakening fewerCopies(Protocol protocol, Buffer buffer) {
        Buffer fewer = new Buffer(buffer.name(), buffer.kind(), buffer.copies() - 1);
        List<Step> steps = protocol.steps().stream()
                .map(step -> replace(step, buffer, fewer))
                .toList();
        List<Promise> promises = protocol.promises().stream()
                .map(promise -> promise.buffer().equals(buffer) ? new Promise(promise.kind(), fewer) : promise)
                .toList();
        String description = buffer.name() + ": " + fewer.copies() + (fewer.copies() == 1 ? " copy" : " copies");
        return new Weakening(
                description,
                new Protocol(
                        protocol.name() + " (" + description + ")",
                        protocol.summary(),
                        protocol.models(),
                        steps,
                        promises,
                        protocol.expectation()));
    }

    private static Step replace(Step step, Buffer old, Buffer other) {
        return switch (step) {
            case Step.WriteData write ->
                new Step.WriteData(write.role(), swap(write.buffer(), old, other), write.home(), write.ahead());
            case Step.ReadData read -> new Step.ReadData(read.role(), swap(read.buffer(), old, other), read.home());
            case Step.SendWords send ->
                new Step.SendWords(send.role(), swap(send.words(), old, other), send.order(), send.scope());
            case Step.ReceiveWords receive ->
                new Step.ReceiveWords(
                        receive.role(), swap(receive.words(), old, other), receive.order(), receive.scope());
            case Step.RearmWords rearm ->
                new Step.RearmWords(
                        rearm.role(), swap(rearm.words(), old, other), rearm.epoch(), rearm.order(), rearm.scope());
            default -> step;
        };
    }

    private static Buffer swap(Buffer buffer, Buffer old, Buffer other) {
        return buffer.equals(old) ? other : buffer;
    }

    private static Set<Buffer> buffers(Protocol protocol) {
        Set<Buffer> buffers = new LinkedHashSet<>();
        protocol.promises().forEach(promise -> buffers.add(promise.buffer()));
        return buffers;
    }

    /** A step by its kind and its place among those of its kind, for example {@code await start}. */
    private static String describe(Protocol protocol, int index) {
        Step step = protocol.steps().get(index);
        return switch (step) {
            case Step.WorkgroupBarrier barrier -> "barrier " + (1 + countBefore(protocol, index));
            case Step.Fence fence -> fence.order().label() + " fence " + (1 + countBefore(protocol, index));
            case Step.StoreFlag store -> "store " + store.flags().name();
            case Step.AwaitFlag await -> "await " + await.flags().name();
            case Step.WriteData write -> "write " + write.buffer().name();
            case Step.ReadData read -> "read " + read.buffer().name();
            case Step.SendWords send -> "send " + send.words().name();
            case Step.ReceiveWords receive -> "receive " + receive.words().name();
            case Step.RearmWords rearm -> "re-arm " + rearm.words().name();
            case Step.KernelBoundary boundary -> "kernel boundary " + (1 + countBefore(protocol, index));
        };
    }

    private static long countBefore(Protocol protocol, int index) {
        Class<?> kind = protocol.steps().get(index).getClass();
        return protocol.steps().subList(0, index).stream()
                .filter(kind::isInstance)
                .count();
    }
}
