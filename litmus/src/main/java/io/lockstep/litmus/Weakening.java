package io.lockstep.litmus;

import io.lockstep.core.protocol.Buffer;
import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Promise;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Reachability;
import io.lockstep.core.protocol.Scope;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
        String headers = "the copies of the headers turn with those of the words, of which four are needed";
        String reduced =
                "a call of several chunks publishes a chunk ahead, as cpu-two-shot does, and needs the second copy";
        return Map.of(
                "cpu-two-shot (staging: 3 copies)",
                "awaiting the shared parts of a chunk already orders the staging of the chunk before it; the fourth copy"
                        + " is kept so that one layout of slots serves both CPU protocols",
                "cpu-two-shot-lent-input (lent: 1 copy)",
                "the peers' parts say already that they have read the input; one-shot needs the second copy, and one"
                        + " layout serves both",
                "cpu-two-shot-lent-input (reduced: 1 copy)",
                reduced,
                "cpu-two-shot-symmetric-input (reduced: 1 copy)",
                reduced,
                "one-shot-push (headers: 3 copies)",
                headers,
                "two-shot-push (headers: 3 copies)",
                headers);
    }

    /** The weakening of a default protocol that {@link #protocol} names so, if there is one. */
    public static Optional<Weakening> named(String name) {
        return Protocols.defaults().stream()
                .filter(protocol -> name.startsWith(protocol.name() + " ("))
                .flatMap(protocol -> of(protocol).stream())
                .filter(weakening -> weakening.protocol().name().equals(name))
                .findFirst();
    }

    /** The first verdict that shows a broken promise, with two devices and calls. */
    public Optional<Verdict> verdict() {
        return Setting.of(protocol).stream()
                .map(setting -> Judge.judge(protocol, setting))
                .filter(verdict -> verdict.found() == Reachability.REACHABLE)
                .findFirst();
    }

    /** Whether some model shows a broken promise, with two devices and calls. */
    public boolean isCaught() {
        return verdict().isPresent();
    }

    /** Whether it is caught, or else known to be redundant. */
    public boolean asExpected() {
        return isCaught() != redundant().containsKey(protocol.name());
    }

    /** A protocol's weakenings as aligned text: where each is caught and what breaks, or why it is redundant. */
    public static List<String> lines(Protocol protocol) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("made weaker in one place", "caught under", "what breaks"));
        for (Weakening weakening : of(protocol)) {
            Optional<Verdict> verdict = weakening.verdict();
            rows.add(List.of(
                    weakening.description(),
                    verdict.map(found -> found.setting().label().replace(", ", "; "))
                            .orElse("-"),
                    verdict.map(Verdict::broken)
                            .orElse(redundant()
                                    .getOrDefault(weakening.protocol().name(), "NOTHING (expected otherwise)"))));
        }
        return Columns.align(rows);
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

    private static final Variant LEFT_OUT = new Variant("left out", List.of());

    private static List<Variant> variants(Step step, Protocol protocol) {
        List<Variant> found = new ArrayList<>();
        switch (step) {
            case Step.WorkgroupBarrier barrier -> {
                found.add(LEFT_OUT);
                if (barrier.reach() == Step.Reach.FULL && protocol.models().contains(Model.AMDGPU)) {
                    found.add(new Variant(
                            "local memory only", List.of(new Step.WorkgroupBarrier(Step.Reach.LOCAL_ONLY))));
                }
            }
            case Step.Fence fence -> {
                found.add(LEFT_OUT);
                if (fence.scope() != Scope.WORKGROUP) {
                    Scope scope = narrower(fence.scope());
                    found.add(new Variant(
                            "scope ." + scope.label(),
                            List.of(new Step.Fence(fence.role(), fence.order(), scope, fence.makesAvailable()))));
                }
            }
            case Step.KernelBoundary boundary -> {
                if (boundary.always()) {
                    found.add(LEFT_OUT);
                }
            }
            case Step.Access access -> {
                weakerAccesses(access, protocol, found);
                weakerContents(access, found);
            }
            case Step.WriteData write -> {}
            case Step.ReadData read -> {}
        }
        return found;
    }

    private static void weakerAccesses(Step.Access access, Protocol protocol, List<Variant> found) {
        if (access.order() == Order.WEAK) {
            return;
        }
        Order down = access.order() == Order.RELAXED ? Order.WEAK : Order.RELAXED;
        found.add(new Variant("." + down.label(), List.of(access.ordered(down, access.scope()))));
        if (access.scope() != Scope.WORKGROUP && !protocol.isCpu()) {
            Scope narrow = narrower(access.scope());
            found.add(new Variant("scope ." + narrow.label(), List.of(access.ordered(access.order(), narrow))));
        }
    }

    /** What is weaker although the access itself is not. */
    private static void weakerContents(Step.Access access, List<Variant> found) {
        switch (access) {
            case Step.RearmWords rearm ->
                found.add(new Variant(
                        "over the extent of the new call",
                        List.of(new Step.RearmWords(
                                rearm.role(),
                                rearm.words(),
                                rearm.epoch(),
                                Step.Extent.OF_THIS_CALL,
                                rearm.order(),
                                rearm.scope()))));
            case Step.SendHeader send -> {
                found.add(new Variant("without the epoch", List.of(naming(send, Step.Naming.FINGERPRINT))));
                found.add(new Variant("without the fingerprint", List.of(naming(send, Step.Naming.EPOCH))));
            }
            case Step.CheckHeader check -> found.add(LEFT_OUT);
            default -> {}
        }
    }

    private static Step naming(Step.SendHeader send, Step.Naming naming) {
        return new Step.SendHeader(send.role(), send.headers(), naming, send.order(), send.scope());
    }

    private static Scope narrower(Scope scope) {
        return scope == Scope.SYSTEM ? Scope.DEVICE : Scope.WORKGROUP;
    }

    private static Weakening fewerCopies(Protocol protocol, Buffer buffer) {
        Buffer fewer = new Buffer(buffer.name(), buffer.kind(), buffer.copies() - 1);
        List<Step> steps =
                protocol.steps().stream().map(step -> step.on(buffer, fewer)).toList();
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
            case Step.SendHeader send -> "send " + send.headers().name();
            case Step.CheckHeader check -> "check " + check.headers().name();
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
