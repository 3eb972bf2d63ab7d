package io.lockstep.core.protocol;

import io.lockstep.core.protocol.Promise.Kind;
import io.lockstep.core.protocol.Step.AwaitFlag;
import io.lockstep.core.protocol.Step.CheckHeader;
import io.lockstep.core.protocol.Step.Comparison;
import io.lockstep.core.protocol.Step.Extent;
import io.lockstep.core.protocol.Step.Fence;
import io.lockstep.core.protocol.Step.KernelBoundary;
import io.lockstep.core.protocol.Step.Naming;
import io.lockstep.core.protocol.Step.ReadData;
import io.lockstep.core.protocol.Step.RearmWords;
import io.lockstep.core.protocol.Step.ReceiveWords;
import io.lockstep.core.protocol.Step.SendHeader;
import io.lockstep.core.protocol.Step.SendWords;
import io.lockstep.core.protocol.Step.StoreFlag;
import io.lockstep.core.protocol.Step.WriteData;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The protocols that Lockstep uses, one for each algorithm, and by name those that were used elsewhere and are wrong.
 * The wrong ones exist to be judged, measured and caught; no public type names them.
 */
public final class Protocols {
    private static final Set<Model> GPU = Set.of(Model.PTX, Model.AMDGPU);
    private static final Set<Model> CPU = Set.of(Model.JAVA);
    private static final Expectation SAFE = Expectation.everywhere(Reachability.FORBIDDEN);
    private static final Expectation BROKEN = Expectation.everywhere(Reachability.REACHABLE);

    private static final Buffer INPUT = Buffer.data("input", 1);
    private static final Buffer SUMS = Buffer.data("sums", 1);
    private static final Buffer START = Buffer.flags("start", 1);
    private static final Buffer MIDDLE = Buffer.flags("middle", 1);
    private static final Buffer END = Buffer.flags("end", 1);
    private static final Buffer STAGING = Buffer.data("staging", 4);
    private static final Buffer REDUCED = Buffer.data("reduced", 2);
    private static final Buffer LENT = Buffer.data("lent", 2);
    private static final Buffer SYMMETRIC = Buffer.data("symmetric", 1);
    private static final Buffer READY = Buffer.flags("ready", 4);
    private static final Buffer SHARED = Buffer.flags("shared", 4);

    private Protocols() {}

    /** What Lockstep runs, one protocol for each algorithm of each backend. */
    public static List<Protocol> defaults() {
        return List.of(
                oneShotPull(),
                twoShotPull(),
                oneShotPush(),
                twoShotPush(),
                cpuOneShot(),
                cpuTwoShot(),
                cpuLentInput(),
                cpuSymmetricInput(),
                cpuTwoShotLentInput(),
                cpuTwoShotSymmetricInput());
    }

    /** What was run elsewhere, and is wrong. */
    public static List<Protocol> historical() {
        return List.of(
                relaxed(),
                deviceAcquire(),
                acquireAfterBarrier(),
                releaseOnly(),
                acquireOnly(),
                relaxedStart(),
                noEndBarrier(),
                relaxedEndBarrier(),
                oneBuffer());
    }

    /** What was named as a cause of wrong numbers, and is right. */
    public static List<Protocol> suspected() {
        return List.of(pollersAcquire());
    }

    /** All of them, the defaults first. */
    public static List<Protocol> all() {
        return Stream.of(defaults(), suspected(), historical())
                .flatMap(List::stream)
                .toList();
    }

    /** The protocol of a name, if there is one. */
    public static Optional<Protocol> named(String name) {
        return all().stream().filter(protocol -> protocol.name().equals(name)).findFirst();
    }

    /** Every rank reads the whole input of every peer, between a start and an end barrier. */
    public static Protocol oneShotPull() {
        return oneShotPull(
                "one-shot-pull",
                "start barrier, read every peer's input, end barrier",
                Barriers.fenced(START),
                Barriers.fenced(END),
                SAFE);
    }

    /**
     * Every rank reduces its rows and stores them in every peer's memory, between a start and a middle barrier. It
     * needs no end barrier: the middle one of this round keeps the input, and the start one of the next round the sums.
     */
    public static Protocol twoShotPull() {
        return twoShotPull(
                "two-shot-pull",
                "start barrier, reduce own rows into every peer's memory, middle barrier, read all rows",
                Barriers.fenced(START),
                Barriers.fenced(MIDDLE),
                SAFE);
    }

    /** Every rank sends its whole input to every peer, in words that carry their own arrival. */
    public static Protocol oneShotPush() {
        Buffer words = Buffer.words("words", 4);
        return push("one-shot-push", "send the input as words that carry their own arrival", List.of(words));
    }

    /** Every rank sends each row to its owner, which sends the sum to all, in words that carry their own arrival. */
    public static Protocol twoShotPush() {
        Buffer rows = Buffer.words("rows", 4);
        Buffer sums = Buffer.words("sums", 4);
        return push(
                "two-shot-push",
                "send rows to their owners, then sums to all, as words that carry their own arrival",
                List.of(rows, sums));
    }

    /** CPU: stage, publish, read every peer's staging; one chunk of look-ahead, four slots, no end barrier. */
    public static Protocol cpuOneShot() {
        return cpu(
                "cpu-one-shot",
                "stage and publish one chunk ahead, await and read every peer's staging",
                exchange(STAGING, READY, 1),
                STAGING);
    }

    /** CPU: as one-shot for the own part of each chunk, then publish the reduced part and read the peers'. */
    public static Protocol cpuTwoShot() {
        return cpu(
                "cpu-two-shot",
                "stage and publish one chunk ahead, reduce the own part, publish it, read the peers' parts",
                joined(List.of(exchange(STAGING, READY, 1), exchange(REDUCED, SHARED, 0))),
                STAGING,
                REDUCED);
    }

    /** CPU: the caller fills a lent buffer, another one each call; peers read it in place. */
    public static Protocol cpuLentInput() {
        return cpu(
                "cpu-lent-input",
                "the caller fills the lent buffer, publish, await and read every peer's in place",
                exchange(LENT, READY, 0),
                LENT);
    }

    /** CPU: the caller keeps one buffer, which peers read in place; a call ends when all have said that they did. */
    public static Protocol cpuSymmetricInput() {
        return cpu(
                "cpu-symmetric-input",
                "the caller fills its one buffer, publish, await and read every peer's in place, publish, await",
                joined(List.of(exchange(SYMMETRIC, READY, 0), List.of(publish(SHARED, 0), await(SHARED)))),
                SYMMETRIC);
    }

    /** CPU: two-shot over lent buffers. */
    public static Protocol cpuTwoShotLentInput() {
        return cpu(
                "cpu-two-shot-lent-input",
                "the caller fills the lent buffer, publish, await, reduce the own part, publish it, read the peers' parts",
                joined(List.of(exchange(LENT, READY, 0), exchange(REDUCED, SHARED, 0))),
                LENT,
                REDUCED);
    }

    /** CPU: two-shot over the buffer that the caller keeps; the parts of the peers say that they have read it. */
    public static Protocol cpuTwoShotSymmetricInput() {
        return cpu(
                "cpu-two-shot-symmetric-input",
                "the caller fills its one buffer, publish, await, reduce the own part, publish it, read the peers' parts",
                joined(List.of(exchange(SYMMETRIC, READY, 0), exchange(REDUCED, SHARED, 0))),
                SYMMETRIC,
                REDUCED);
    }

    /** aiter before pull request 2890: the flag after stage 1 is relaxed and polled at device scope. */
    public static Protocol relaxed() {
        return weakMiddle(
                "relaxed",
                "aiter before pull request 2890: a relaxed flag after stage 1",
                Barriers.ordered(MIDDLE, Order.RELAXED, Order.RELAXED, Scope.DEVICE));
    }

    /** aiter after pull request 2890: released to the system, acquired at device scope. */
    public static Protocol deviceAcquire() {
        return weakMiddle(
                "device-acquire",
                "aiter after pull request 2890: release to the system, acquire at device scope",
                Barriers.ordered(MIDDLE, Order.RELEASE, Order.ACQUIRE, Scope.DEVICE));
    }

    /** Relaxed polling, then an acquire fence by every thread after the work-group barrier. */
    public static Protocol acquireAfterBarrier() {
        // A later kernel is saved by its boundary, which carries what the pollers themselves have acquired.
        return weakMiddle(
                        "acquire-after-barrier",
                        "the pollers poll relaxed, and every thread fences only after the work-group barrier",
                        Barriers.thenAcquiredByAll(
                                Barriers.ordered(MIDDLE, Order.RELEASE, Order.RELAXED, Scope.SYSTEM)))
                .expecting(BROKEN.except(Model.PTX, Set.of(Placement.LATER_KERNEL), Reachability.FORBIDDEN)
                        .except(Model.AMDGPU, Set.of(Placement.LATER_KERNEL), Reachability.FORBIDDEN));
    }

    /** The third cause that pull request 2890 names: only the pollers acquire. */
    public static Protocol pollersAcquire() {
        return weakMiddle(
                        "pollers-acquire",
                        "only the pollers acquire; the full work-group barrier after the poll carries it to all threads",
                        Barriers.releaseAcquire(MIDDLE, Step.Reach.FULL, Step.Reach.FULL))
                .expecting(SAFE);
    }

    /** A release without an acquire. */
    public static Protocol releaseOnly() {
        return weakMiddle(
                "release-only",
                "a released flag that is polled relaxed",
                Barriers.ordered(MIDDLE, Order.RELEASE, Order.RELAXED, Scope.SYSTEM));
    }

    /** An acquire without a release. */
    public static Protocol acquireOnly() {
        return weakMiddle(
                "acquire-only",
                "a relaxed flag that is polled with acquire",
                Barriers.ordered(MIDDLE, Order.RELAXED, Order.ACQUIRE, Scope.SYSTEM));
    }

    /** A relaxed start barrier before a right middle one: aiter and vLLM in 2026. */
    public static Protocol relaxedStart() {
        return twoShotPull(
                "relaxed-start",
                "a relaxed start barrier: the peers' input may be older than the call",
                Barriers.ordered(START, Order.RELAXED, Order.RELAXED, Scope.DEVICE),
                Barriers.fenced(MIDDLE),
                BROKEN);
    }

    /** One-shot without an end barrier: the input is overwritten while a peer still reads it. */
    public static Protocol noEndBarrier() {
        return oneShotPull(
                "no-end-barrier",
                "one-shot without an end barrier: the next call overwrites an input that a peer still reads",
                Barriers.fenced(START),
                List.of(),
                BROKEN);
    }

    /** One-shot with a relaxed end barrier. */
    public static Protocol relaxedEndBarrier() {
        return oneShotPull(
                "relaxed-end-barrier",
                "one-shot with a relaxed end barrier",
                Barriers.fenced(START),
                Barriers.ordered(END, Order.RELAXED, Order.RELAXED, Scope.SYSTEM),
                BROKEN);
    }

    /** Push with flags into a single buffer: a peer that is a call ahead overwrites what is still read. */
    public static Protocol oneBuffer() {
        return flaggedPush("one-buffer", 1, Barriers.fenced(Buffer.flags("arrived", 1)), BROKEN);
    }

    /**
     * Push guarded by a barrier instead of by its words: write into every peer's memory, barrier, read own memory.
     *
     * @param copies how many buffers take turns
     */
    public static Protocol flaggedPush(String name, int copies, List<Step> barrier, Expectation expectation) {
        Buffer tmp = Buffer.data("tmp", copies);
        return gpu(
                name,
                "push behind a barrier into " + copies + (copies == 1 ? " buffer" : " buffers in turn"),
                joined(List.of(
                        List.of(new WriteData(Role.ALL, tmp, Home.PEERS)),
                        barrier,
                        List.of(new ReadData(Role.ALL, tmp, Home.OWN), new KernelBoundary(false)))),
                expectation,
                tmp);
    }

    /** One-shot pull with barriers of one's own; an empty end barrier leaves it out. */
    public static Protocol oneShotPull(
            String name, String summary, List<Step> start, List<Step> end, Expectation expectation) {
        return gpu(
                name,
                summary,
                joined(List.of(pulled(start), end, List.of(new KernelBoundary(false)))),
                expectation,
                INPUT);
    }

    /** Two-shot pull with barriers of one's own. */
    public static Protocol twoShotPull(
            String name, String summary, List<Step> start, List<Step> middle, Expectation expectation) {
        return gpu(
                name,
                summary,
                joined(List.of(
                        pulled(start),
                        List.of(new WriteData(Role.ALL, SUMS, Home.PEERS)),
                        middle,
                        List.of(
                                new KernelBoundary(false),
                                new ReadData(Role.ALL, SUMS, Home.OWN),
                                new KernelBoundary(false)))),
                expectation,
                INPUT,
                SUMS);
    }

    /** An earlier kernel writes the input; behind the start barrier every peer's is read. */
    private static List<Step> pulled(List<Step> start) {
        return joined(List.of(
                List.of(new WriteData(Role.ALL, INPUT, Home.OWN), new KernelBoundary(false)),
                start,
                List.of(new ReadData(Role.ALL, INPUT, Home.PEERS))));
    }

    private static Protocol gpu(
            String name, String summary, List<Step> steps, Expectation expectation, Buffer... buffers) {
        return new Protocol(name, summary, GPU, steps, keeping(buffers), expectation);
    }

    private static Protocol cpu(String name, String summary, List<Step> steps, Buffer... buffers) {
        return new Protocol(name, summary, CPU, steps, keeping(buffers), SAFE);
    }

    /** Each buffer is read as its round wrote it: nothing older, nothing newer. */
    private static List<Promise> keeping(Buffer... buffers) {
        return Stream.of(buffers)
                .flatMap(buffer -> Stream.of(new Promise(Kind.VISIBLE, buffer), new Promise(Kind.UNDISTURBED, buffer)))
                .toList();
    }

    private static List<Step> joined(List<List<Step>> parts) {
        return parts.stream().flatMap(List::stream).toList();
    }

    /** CPU: write in one's own memory, tell, wait until all have told, read in theirs. */
    private static List<Step> exchange(Buffer data, Buffer flags, int ahead) {
        return List.of(
                new WriteData(Role.ALL, data, Home.OWN, ahead),
                publish(flags, ahead),
                await(flags),
                new ReadData(Role.ALL, data, Home.PEERS));
    }

    private static Protocol weakMiddle(String name, String summary, List<Step> middle) {
        return twoShotPull(name, summary, Barriers.fenced(START), middle, BROKEN);
    }

    /**
     * Round {@code e} re-arms the words of round {@code e-1}; its start tells the peers that round {@code e-1} has
     * re-armed those of round {@code e-2}; and it awaits that the peers' round {@code e-2} has re-armed, which lets
     * round {@code e+1} write the copy of round {@code e-3}. The epoch awaited was told a round ago: nobody waits for
     * it in practice. A word does not say of which call it is: the header does.
     */
    private static Protocol push(String name, String summary, List<Buffer> buffers) {
        Buffer rearmed = Buffer.flags("rearmed", 1);
        Buffer headers = Buffer.headers("headers", 4);
        List<Step> steps = new ArrayList<>();
        steps.add(new Fence(Role.POLLERS, Order.RELEASE, Scope.SYSTEM));
        steps.add(new StoreFlag(Role.POLLERS, rearmed, new Epoch(1), Order.RELAXED, Scope.SYSTEM));
        steps.add(new SendHeader(Role.OTHERS, headers, Naming.EPOCH_AND_FINGERPRINT, Order.RELAXED, Scope.SYSTEM));
        for (Buffer words : buffers) {
            steps.add(new SendWords(Role.OTHERS, words, Order.RELAXED, Scope.SYSTEM));
            steps.add(new ReceiveWords(Role.OTHERS, words, Order.RELAXED, Scope.SYSTEM));
        }
        steps.add(new CheckHeader(Role.OTHERS, headers, Order.RELAXED, Scope.SYSTEM));
        for (Buffer words : buffers) {
            steps.add(new RearmWords(
                    Role.REARMERS, words, new Epoch(1), Extent.OF_ITS_CALL, Order.RELAXED, Scope.SYSTEM));
        }
        steps.add(new AwaitFlag(Role.POLLERS, rearmed, new Epoch(2), Comparison.AT_LEAST, Order.RELAXED, Scope.SYSTEM));
        steps.add(new Fence(Role.POLLERS, Order.ACQUIRE, Scope.SYSTEM));
        steps.add(new KernelBoundary(true));
        List<Promise> promises = new ArrayList<>();
        for (Buffer words : buffers) {
            promises.add(new Promise(Kind.OF_THIS_ROUND, words));
            promises.add(new Promise(Kind.NOT_LOST, words));
        }
        promises.add(new Promise(Kind.OF_THIS_ROUND, headers));
        return new Protocol(name, summary, GPU, steps, promises, SAFE);
    }

    private static StoreFlag publish(Buffer flags, int ahead) {
        return new StoreFlag(Role.ALL, flags, Epoch.THIS_ROUND, Order.RELEASE, Scope.SYSTEM, ahead);
    }

    private static AwaitFlag await(Buffer flags) {
        return new AwaitFlag(Role.ALL, flags, Epoch.THIS_ROUND, Comparison.EXACTLY, Order.ACQUIRE, Scope.SYSTEM);
    }
}
