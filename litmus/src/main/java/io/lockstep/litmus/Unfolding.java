package io.lockstep.litmus;

import io.lockstep.core.protocol.Buffer;
import io.lockstep.core.protocol.Home;
import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Placement;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Role;
import io.lockstep.core.protocol.Scope;
import io.lockstep.core.protocol.Step;
import io.lockstep.core.protocol.Step.Comparison;
import io.lockstep.litmus.Course.Question;
import io.lockstep.litmus.model.Event.Kind;
import io.lockstep.litmus.model.Program;
import io.lockstep.litmus.model.Values;
import java.util.ArrayList;
import java.util.List;

/**
 * A protocol as a program of so many devices and rounds. Every device has one work-group of two threads, one that polls
 * and one that does not, and each of them owns a word of every buffer: enough for each way in which one thread's
 * ordering can fail to reach another. Where the pollers are spare ones they, the threads that carry data and those that
 * re-arm are a work-group each. A CPU rank is a device with one thread.
 *
 * <p>A word's value is its round, and a multiple of {@link #OTHER_CALL} more in a call that is not like the others. A
 * header's value is ten times the epoch and one for the call, or two for the other one.
 */
final class Unfolding {
    /**
     * How far to unfold.
     *
     * @param devices how many devices
     * @param rounds how many rounds
     * @param placement whether kernel boundaries that may be left out are there
     * @param boundary the scope of the fences at a kernel boundary
     */
    record Size(int devices, int rounds, Placement placement, Scope boundary) {}

    private final Protocol protocol;
    /** What the words of another call have on top of their round. */
    private static final int OTHER_CALL = 100;

    private static final int EPOCH = 10;

    private final Size size;
    private final Course course;
    private final Program.Builder builder = new Program.Builder();
    private final List<Lane> lanes = new ArrayList<>();
    private final int losing;
    private final int losingWord;
    private final boolean spare;
    private int kernels;
    private int meetings;
    private int stuck = -1;

    /** One of a device's threads, in the kernel that runs now. */
    private static final class Lane {
        final int device;
        final int number;
        int thread;
        int kernel;

        Lane(int device, int number) {
            this.device = device;
            this.number = number;
        }

        boolean has(Role role) {
            return switch (role) {
                case ALL -> true;
                case POLLERS -> number == 0;
                case OTHERS -> number == 1;
                case REARMERS -> number == 2;
            };
        }
    }

    /** A program, and the read that is to poll for ever, or -1. */
    record Unfolded(Program program, int stuck) {}

    private Unfolding(Protocol protocol, Size size, Course course, int losing, int losingWord) {
        this.protocol = protocol;
        this.size = size;
        this.course = course;
        this.losing = losing;
        this.losingWord = losingWord;
        this.spare = protocol.steps().stream().anyMatch(step -> step.role() == Role.OTHERS);
        builder.boundary(size.boundary());
    }

    /** The program in which all calls are alike. */
    static Program of(Protocol protocol, Size size) {
        return of(protocol, size, Course.ALIKE);
    }

    /** The program. */
    static Program of(Protocol protocol, Size size, Course course) {
        return new Unfolding(protocol, size, course, -1, -1).unfold().program();
    }

    /**
     * The programs in which device 0, in the last round, polls one word for ever at a step that receives, and nobody
     * has come further than that step: one for each such step and word.
     */
    static List<Unfolded> losing(Protocol protocol, Size size, Course course) {
        List<Unfolded> all = new ArrayList<>();
        for (int step = 0; step < protocol.steps().size(); step++) {
            // A weak poll may be taken out of its loop: it races, and has been found already.
            if (protocol.steps().get(step) instanceof Step.ReceiveWords && course.question() == Question.WORDS) {
                for (int word = 0; word < course.extent(size.rounds()); word++) {
                    all.add(new Unfolding(protocol, size, course, step, word).unfold());
                }
            }
        }
        return all;
    }

    private int lanes() {
        boolean rearms = protocol.steps().stream().anyMatch(step -> step.role() == Role.REARMERS);
        return protocol.isCpu() ? 1 : rearms ? 3 : 2;
    }

    private Unfolded unfold() {
        for (int device = 0; device < size.devices(); device++) {
            int kernel = kernels++;
            for (int number = 0; number < lanes(); number++) {
                Lane lane = new Lane(device, number);
                lane.kernel = kernel;
                lane.thread = builder.thread(describe(lane));
                lanes.add(lane);
            }
        }
        for (int round = 1 - protocol.lookAhead(); round <= size.rounds(); round++) {
            for (int i = 0; i < protocol.steps().size(); i++) {
                Step step = protocol.steps().get(i);
                int of = round + step.ahead();
                boolean last = i == protocol.steps().size() - 1 && of == size.rounds();
                if (i == losing && of == size.rounds()) {
                    poll((Step.ReceiveWords) step, of);
                    return new Unfolded(builder.build(), stuck);
                }
                if (of >= 1 && of <= size.rounds() && !(last && step instanceof Step.KernelBoundary)) {
                    perform(step, of);
                }
            }
        }
        return new Unfolded(builder.build(), stuck);
    }

    private Program.Strand describe(Lane lane) {
        String role = protocol.isCpu()
                ? ""
                : List.of(".poller", ".other", ".re-armer").get(lane.number);
        String place = protocol.isCpu() ? "rank " + lane.device : "device " + lane.device + ".k" + lane.kernel + role;
        // Spare pollers serve all work-groups of a kernel: they share none with the threads that they speak for.
        int workgroup = 3 * lane.kernel + (spare ? lane.number : 0);
        return new Program.Strand(place, lane.device, workgroup, lane.kernel);
    }

    private void perform(Step step, int round) {
        switch (step) {
            case Step.KernelBoundary boundary -> {
                if (boundary.always() || size.placement() == Placement.LATER_KERNEL) {
                    nextKernel();
                }
            }
            case Step.WorkgroupBarrier barrier -> {
                int meeting = meetings++;
                Kind kind = barrier.reach() == Step.Reach.FULL ? Kind.BARRIER : Kind.LOCAL_BARRIER;
                String text = kind == Kind.BARRIER ? "barrier" : "barrier of local memory only";
                forEach(step, lane -> builder.barrier(lane.thread, kind, meeting, text));
            }
            case Step.Fence fence ->
                forEach(
                        step,
                        lane -> builder.fence(
                                lane.thread,
                                fence.order(),
                                fence.scope(),
                                fence.makesAvailable(),
                                "fence." + fence.order().label() + "."
                                        + fence.scope().label() + (fence.makesAvailable() ? "" : " (av none)")));
            case Step.StoreFlag store -> {
                int epoch = store.epoch().of(round);
                if (epoch >= 1) {
                    forEach(step, lane -> storeFlags(store, lane, round, epoch));
                }
            }
            case Step.AwaitFlag await -> {
                int epoch = await.epoch().of(round);
                if (epoch >= 1) {
                    forEach(step, lane -> awaitFlags(await, lane, round, epoch));
                }
            }
            case Step.WriteData write -> forEach(step, lane -> writeData(write, lane, round));
            case Step.ReadData read -> forEach(step, lane -> readData(read, lane, round));
            case Step.SendWords send -> forEach(step, lane -> sendWords(send, lane, round));
            case Step.ReceiveWords receive -> forEach(step, lane -> receiveWords(receive, lane, round));
            case Step.RearmWords rearm -> {
                int earlier = rearm.epoch().of(round);
                if (earlier >= 1) {
                    int extent = course.extent(rearm.extent() == Step.Extent.OF_ITS_CALL ? earlier : round);
                    forEach(step, lane -> rearmWords(rearm, lane, earlier, extent));
                }
            }
            case Step.SendHeader send -> forEach(step, lane -> sendHeader(send, lane, round));
            case Step.CheckHeader check -> forEach(step, lane -> checkHeader(check, lane, round));
        }
    }

    private interface LaneAction {
        void accept(Lane lane);
    }

    private interface PeerAction {
        void accept(int peer);
    }

    private void forEach(Step step, LaneAction action) {
        for (Lane lane : lanes) {
            if (lane.has(step.role())) {
                action.accept(lane);
            }
        }
    }

    private void forEachPeer(Lane lane, PeerAction action) {
        for (int peer = 0; peer < size.devices(); peer++) {
            if (peer != lane.device) {
                action.accept(peer);
            }
        }
    }

    private void nextKernel() {
        for (int device = 0; device < size.devices(); device++) {
            int kernel = kernels++;
            for (Lane lane : lanes) {
                if (lane.device == device) {
                    builder.kernel(lane.thread, Kind.KERNEL_END);
                    builder.follows(lane.kernel, kernel);
                    lane.kernel = kernel;
                    lane.thread = builder.thread(describe(lane));
                    builder.kernel(lane.thread, Kind.KERNEL_START);
                }
            }
        }
    }

    private void storeFlags(Step.StoreFlag store, Lane lane, int round, int epoch) {
        forEachPeer(
                lane,
                peer -> write(
                        lane, store.order(), store.scope(), flag(store.flags(), round, peer, lane.device), epoch));
    }

    private void awaitFlags(Step.AwaitFlag await, Lane lane, int round, int epoch) {
        forEachPeer(lane, peer -> {
            int location = flag(await.flags(), round, lane.device, peer);
            boolean exactly = await.comparison() == Comparison.EXACTLY;
            Values values = new Values(exactly ? Values.Test.EXACTLY : Values.Test.AT_LEAST, epoch);
            String text = "await" + suffix(await.order(), await.scope()) + " " + name(location)
                    + (exactly ? " == " : " >= ") + epoch;
            builder.read(lane.thread, await.order(), await.scope(), location, values, text);
        });
    }

    private void writeData(Step.WriteData write, Lane lane, int round) {
        if (write.home() == Home.OWN) {
            write(
                    lane,
                    Order.WEAK,
                    Scope.SYSTEM,
                    word(write.buffer(), round, lane.device, lane.device, lane.number),
                    round);
        } else {
            forEachPeer(
                    lane,
                    peer -> write(
                            lane,
                            Order.WEAK,
                            Scope.SYSTEM,
                            word(write.buffer(), round, peer, lane.device, lane.number),
                            round));
        }
    }

    private void readData(Step.ReadData read, Lane lane, int round) {
        forEachPeer(lane, peer -> {
            int home = read.home() == Home.OWN ? lane.device : peer;
            for (int number = 0; number < (protocol.isCpu() ? 1 : 2); number++) {
                int location = word(read.buffer(), round, home, peer, number);
                builder.judgedRead(
                        lane.thread, Order.WEAK, Scope.SYSTEM, location, Values.ANY, round, "load " + name(location));
            }
        });
    }

    /** Whether a device's call in a round is not the one that all others make. */
    private boolean differs(int device, int round) {
        return course.question() == Question.OTHER_CALL && round == size.rounds() && device == size.devices() - 1;
    }

    /** Whether a device goes on to results in a round. Where one differs, only what device 0 takes is asked about. */
    private boolean hasResults(int device, int round) {
        return course.question() != Question.OTHER_CALL || round < size.rounds() || device == 0;
    }

    private void sendWords(Step.SendWords send, Lane lane, int round) {
        int value = round + (differs(lane.device, round) ? OTHER_CALL : 0);
        forEachPeer(lane, peer -> {
            for (int index = 0; index < course.extent(round); index++) {
                write(lane, send.order(), send.scope(), word(send.words(), round, peer, lane.device, index), value);
            }
        });
    }

    private void receiveWords(Step.ReceiveWords receive, Lane lane, int round) {
        // What the words hold is asked about elsewhere.
        Values there = course.question() == Question.HEADERS
                ? new Values(Values.Test.EXACTLY, round)
                : new Values(Values.Test.OTHER_THAN, 0);
        forEachPeer(lane, peer -> {
            for (int index = 0; index < course.extent(round); index++) {
                receive(receive, lane, word(receive.words(), round, lane.device, peer, index), there, round);
            }
        });
    }

    private void rearmWords(Step.RearmWords rearm, Lane lane, int earlier, int extent) {
        forEachPeer(lane, peer -> {
            for (int index = 0; index < extent; index++) {
                write(lane, rearm.order(), rearm.scope(), word(rearm.words(), earlier, lane.device, peer, index), 0);
            }
        });
    }

    private void poll(Step.ReceiveWords receive, int round) {
        Lane lane = lanes.stream()
                .filter(other -> other.has(receive.role()))
                .findFirst()
                .orElseThrow();
        int location = word(receive.words(), round, lane.device, 1, losingWord);
        stuck = receive(receive, lane, location, new Values(Values.Test.EXACTLY, 0), 0);
    }

    private int receive(Step.ReceiveWords receive, Lane lane, int location, Values accepts, int expected) {
        String text = "receive" + suffix(receive.order(), receive.scope()) + " " + name(location);
        if (!hasResults(lane.device, expected)) {
            return builder.read(lane.thread, receive.order(), receive.scope(), location, accepts, text);
        }
        return builder.judgedRead(lane.thread, receive.order(), receive.scope(), location, accepts, expected, text);
    }

    private void sendHeader(Step.SendHeader send, Lane lane, int round) {
        int value = header(send.naming(), round, differs(lane.device, round));
        forEachPeer(
                lane,
                peer -> write(
                        lane, send.order(), send.scope(), header(send.headers(), round, peer, lane.device), value));
    }

    /** A check that ends in an error has no results. It does so rightly only where a peer's call differs. */
    private void checkHeader(Step.CheckHeader check, Lane lane, int round) {
        if (!hasResults(lane.device, round)) {
            return;
        }
        Step.Naming naming = naming();
        int mine = header(naming, round, false);
        Values accepts = course.question() == Question.OTHER_CALL
                ? new Values(Values.Test.EXACTLY, mine)
                : new Values(Values.Test.AT_LEAST, naming == Step.Naming.FINGERPRINT ? mine : round * EPOCH);
        forEachPeer(lane, peer -> {
            int location = header(check.headers(), round, lane.device, peer);
            String text = "check" + suffix(check.order(), check.scope()) + " " + name(location) + " == " + mine;
            if (course.question() == Question.HEADERS) {
                builder.judgedRead(lane.thread, check.order(), check.scope(), location, accepts, mine, text);
            } else {
                builder.read(lane.thread, check.order(), check.scope(), location, accepts, text);
            }
        });
    }

    /** What the headers of this protocol say. */
    private Step.Naming naming() {
        return protocol.steps().stream()
                .filter(Step.SendHeader.class::isInstance)
                .map(step -> ((Step.SendHeader) step).naming())
                .findFirst()
                .orElse(Step.Naming.EPOCH_AND_FINGERPRINT);
    }

    private static int header(Step.Naming naming, int round, boolean differs) {
        int epoch = naming == Step.Naming.FINGERPRINT ? 0 : round * EPOCH;
        int fingerprint = naming == Step.Naming.EPOCH ? 0 : differs ? 2 : 1;
        return epoch + fingerprint;
    }

    private void write(Lane lane, Order order, Scope scope, int location, long value) {
        builder.write(
                lane.thread,
                order,
                scope,
                location,
                value,
                "store" + suffix(order, scope) + " " + name(location) + " = " + value);
    }

    private String suffix(Order order, Scope scope) {
        if (order == Order.WEAK) {
            return "";
        }
        return "." + order.label() + (protocol.isCpu() ? "" : "." + scope.label());
    }

    private final List<String> names = new ArrayList<>();

    private String name(int location) {
        return names.get(location);
    }

    private int flag(Buffer flags, int round, int home, int writer) {
        return location(flags.name() + "[" + home + "<-" + writer + "]" + copy(flags, round));
    }

    private int header(Buffer headers, int round, int home, int writer) {
        return flag(headers, round, home, writer);
    }

    private int word(Buffer buffer, int round, int home, int writer, int number) {
        String of = home == writer ? "[" + home + "]" : "[" + home + "<-" + writer + "]";
        return location(buffer.name() + of + copy(buffer, round) + (protocol.isCpu() ? "" : "." + number));
    }

    private static String copy(Buffer buffer, int round) {
        return buffer.copies() == 1 ? "" : "#" + round % buffer.copies();
    }

    private int location(String name) {
        int number = builder.location(name, 0);
        if (number == names.size()) {
            names.add(name);
        }
        return number;
    }
}
