package io.lockstep.litmus;

import static io.lockstep.core.protocol.Reachability.FORBIDDEN;
import static io.lockstep.core.protocol.Reachability.REACHABLE;
import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.protocol.Barriers;
import io.lockstep.core.protocol.Buffer;
import io.lockstep.core.protocol.Expectation;
import io.lockstep.core.protocol.Home;
import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Placement;
import io.lockstep.core.protocol.Promise;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Reachability;
import io.lockstep.core.protocol.Role;
import io.lockstep.core.protocol.Scope;
import io.lockstep.core.protocol.Step;
import io.lockstep.core.protocol.Step.Reach;
import io.lockstep.litmus.kodkod.InKodkod;
import io.lockstep.litmus.model.MemoryModel;
import io.lockstep.litmus.model.Program;
import io.lockstep.litmus.model.Search;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The verdicts that are known of every shape of barrier, in every place that a barrier stands. Both engines give them.
 */
class VerdictsTest {
    private static final Buffer DATA = Buffer.data("data", 1);
    private static final Buffer FLAGS = Buffer.flags("flags", 1);
    private static final Set<Model> GPU = Set.of(Model.PTX, Model.AMDGPU);

    private static final List<Step> RELAXED = Barriers.ordered(FLAGS, Order.RELAXED, Order.RELAXED, Scope.DEVICE);
    private static final List<Step> DEVICE_ACQUIRE =
            Barriers.ordered(FLAGS, Order.RELEASE, Order.ACQUIRE, Scope.DEVICE);
    private static final List<Step> RELEASE_ONLY = Barriers.ordered(FLAGS, Order.RELEASE, Order.RELAXED, Scope.SYSTEM);
    private static final List<Step> ACQUIRE_ONLY = Barriers.ordered(FLAGS, Order.RELAXED, Order.ACQUIRE, Scope.SYSTEM);
    private static final List<Step> POLLERS = Barriers.releaseAcquire(FLAGS, Reach.FULL, Reach.FULL);
    private static final List<Step> EVERYONE = Barriers.thenAcquiredByAll(POLLERS);
    private static final List<Step> FENCED = Barriers.fenced(FLAGS);
    private static final List<Step> LOCAL_AFTER = Barriers.releaseAcquire(FLAGS, Reach.FULL, Reach.LOCAL_ONLY);
    private static final List<Step> LOCAL_BEFORE = Barriers.releaseAcquire(FLAGS, Reach.LOCAL_ONLY, Reach.FULL);
    private static final List<Step> UNAVAILABLE = Barriers.unavailable(FLAGS);

    private static final Map<String, List<Step>> SHAPES = Map.ofEntries(
            Map.entry("relaxed", RELAXED),
            Map.entry("device acquire", DEVICE_ACQUIRE),
            Map.entry("release only", RELEASE_ONLY),
            Map.entry("acquire only", ACQUIRE_ONLY),
            Map.entry("thread fence and volatile", Barriers.threadFence(FLAGS)),
            Map.entry("pollers", POLLERS),
            Map.entry("every thread", EVERYONE),
            Map.entry("fenced", FENCED),
            Map.entry("local barrier after", LOCAL_AFTER),
            Map.entry("local barrier after, every thread", Barriers.thenAcquiredByAll(LOCAL_AFTER)),
            Map.entry("local barrier before", LOCAL_BEFORE),
            Map.entry("av none", UNAVAILABLE),
            Map.entry("none", List.of()));

    private static final Set<String> SAFE = Set.of("pollers", "every thread", "fenced");
    private static final Set<String> SAFE_UNDER_PTX = Set.of(
            "pollers",
            "every thread",
            "fenced",
            "local barrier after",
            "local barrier after, every thread",
            "local barrier before",
            "av none");

    record Question(String name, Protocol protocol, Unfolding.Size size, Reachability ptx, Reachability amdgpu) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Question> questions() {
        List<Question> questions = new ArrayList<>();
        SHAPES.forEach((name, barrier) -> {
            for (Scope boundary : List.of(Scope.DEVICE, Scope.SYSTEM)) {
                for (Placement placement : Placement.values()) {
                    String where = ", " + placement.label() + ", boundary ." + boundary.label();
                    Unfolding.Size once = new Unfolding.Size(2, 1, placement, boundary);
                    Unfolding.Size twice = new Unfolding.Size(2, 2, placement, boundary);
                    Reachability ptx = SAFE_UNDER_PTX.contains(name) ? FORBIDDEN : REACHABLE;
                    Reachability amdgpu = SAFE.contains(name) ? FORBIDDEN : REACHABLE;
                    // A barrier of local memory only is mended by the kernel boundary behind it.
                    boolean mended = placement == Placement.LATER_KERNEL && name.startsWith("local barrier after");
                    questions.add(new Question(
                            "stage 2 after " + name + where, stages(barrier), once, ptx, mended ? FORBIDDEN : amdgpu));
                    boolean earlier = placement == Placement.LATER_KERNEL && name.equals("local barrier before");
                    questions.add(new Question(
                            "start barrier " + name + where, start(barrier), once, ptx, earlier ? FORBIDDEN : amdgpu));
                    // A write after a read needs happens-before and nothing of the caches.
                    boolean ordered = name.equals("av none") || mended;
                    questions.add(new Question(
                            "end barrier " + name + where,
                            Protocols.oneShotPull(
                                    "end", "", Barriers.fenced(Buffer.flags("start", 1)), barrier, safe()),
                            twice,
                            ptx,
                            ordered ? FORBIDDEN : amdgpu));
                }
            }
        });
        for (int calls = 2; calls <= 3; calls++) {
            Unfolding.Size size = new Unfolding.Size(2, calls, Placement.LATER_KERNEL, Scope.DEVICE);
            for (String name : List.of("relaxed", "device acquire", "pollers", "fenced")) {
                for (int copies = 1; copies <= 2; copies++) {
                    Reachability verdict = copies == 2 && SAFE.contains(name) ? FORBIDDEN : REACHABLE;
                    Protocol push = Protocols.flaggedPush("push", copies, SHAPES.getOrDefault(name, List.of()), safe());
                    questions.add(new Question(
                            "push, " + name + ", " + copies + " buffers, " + calls + " calls",
                            push,
                            size,
                            verdict,
                            verdict));
                }
            }
            questions.add(pipeline("pipeline as merged", RELAXED, DEVICE_ACQUIRE, size, REACHABLE));
            questions.add(pipeline("pipeline, pollers", POLLERS, POLLERS, size, FORBIDDEN));
            questions.add(pipeline("pipeline, fenced", FENCED, FENCED, size, FORBIDDEN));
        }
        return questions.stream();
    }

    private static Expectation safe() {
        return Expectation.everywhere(FORBIDDEN);
    }

    private static Question pipeline(
            String name, List<Step> start, List<Step> middle, Unfolding.Size size, Reachability verdict) {
        // Start and middle count in flags of their own.
        List<Step> renamed = start.stream()
                .map(step -> step.on(FLAGS, Buffer.flags("start", 1)))
                .toList();
        return new Question(
                name + ", " + size.rounds() + " calls",
                Protocols.twoShotPull("pipeline", "", renamed, middle, safe()),
                size,
                verdict,
                verdict);
    }

    /** Stage 1 writes into the peers' memory; stage 2 reads its own. */
    private static Protocol stages(List<Step> barrier) {
        List<Step> steps = new ArrayList<>();
        steps.add(new Step.WriteData(Role.ALL, DATA, Home.PEERS));
        steps.addAll(barrier);
        steps.add(new Step.KernelBoundary(false));
        steps.add(new Step.ReadData(Role.ALL, DATA, Home.OWN));
        return protocol(steps);
    }

    /** An earlier kernel writes the input; the peers read it. */
    private static Protocol start(List<Step> barrier) {
        List<Step> steps = new ArrayList<>();
        steps.add(new Step.WriteData(Role.ALL, DATA, Home.OWN));
        steps.add(new Step.KernelBoundary(false));
        steps.addAll(barrier);
        steps.add(new Step.ReadData(Role.ALL, DATA, Home.PEERS));
        return protocol(steps);
    }

    private static Protocol protocol(List<Step> steps) {
        return new Protocol("question", "", GPU, steps, List.of(new Promise(Promise.Kind.VISIBLE, DATA)), safe());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("questions")
    void theVerdictIsTheKnownOne(Question question) {
        Program program = Unfolding.of(question.protocol(), question.size());

        boolean ptx = Search.violation(MemoryModel.of(Model.PTX), program).isPresent();
        assertThat(ptx).as("PTX").isEqualTo(question.ptx() == REACHABLE);
        boolean amdgpu = Search.violation(MemoryModel.of(Model.AMDGPU), program).isPresent();
        assertThat(amdgpu).as("AMDGPU").isEqualTo(question.amdgpu() == REACHABLE);
    }

    static Stream<Question> shortQuestionsForTheSolver() {
        return questions().filter(question -> question.size().rounds() == 1);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("shortQuestionsForTheSolver")
    void theSolverGivesTheKnownVerdictForOneCall(Question question) {
        Program program = Unfolding.of(question.protocol(), question.size());

        assertThat(InKodkod.of(Model.PTX, program).violates()).as("PTX").isEqualTo(question.ptx() == REACHABLE);
        assertThat(InKodkod.of(Model.AMDGPU, program).violates())
                .as("AMDGPU")
                .isEqualTo(question.amdgpu() == REACHABLE);
    }

    @ParameterizedTest(name = "{0}")
    @Tag("slow")
    @MethodSource("questions")
    void theSolverGivesTheKnownVerdict(Question question) {
        Program program = Unfolding.of(question.protocol(), question.size());

        assertThat(InKodkod.of(Model.PTX, program).violates()).as("PTX").isEqualTo(question.ptx() == REACHABLE);
        assertThat(InKodkod.of(Model.AMDGPU, program).violates())
                .as("AMDGPU")
                .isEqualTo(question.amdgpu() == REACHABLE);
    }

    @ParameterizedTest
    @Tag("slow")
    @MethodSource("io.lockstep.litmus.DutiesTest#all")
    void bothEnginesAgreeOnEveryProtocol(Protocol protocol) {
        for (Setting setting : Setting.of(protocol)) {
            Unfolding.Size size = new Unfolding.Size(
                    setting.devices(), setting.rounds(protocol), setting.placement(), setting.boundary());
            MemoryModel model = MemoryModel.of(setting.model());
            for (Course course : Course.of(protocol)) {
                Program program = Unfolding.of(protocol, size, course);
                assertThat(InKodkod.of(setting.model(), program).violates())
                        .as("%s under %s, %s", protocol.name(), setting, course)
                        .isEqualTo(Search.violation(model, program).isPresent());
                for (Unfolding.Unfolded losing : Unfolding.losing(protocol, size, course)) {
                    assertThat(InKodkod.of(setting.model(), losing.program()).loses(losing.stuck()))
                            .as("%s loses a word under %s, %s", protocol.name(), setting, course)
                            .isEqualTo(Search.lost(model, losing.program(), losing.stuck())
                                    .isPresent());
                }
            }
        }
    }

    @Test
    void theBarrierHoldsForFourDevices() {
        Unfolding.Size size = new Unfolding.Size(4, 1, Placement.SAME_KERNEL, Scope.DEVICE);
        Program program = Unfolding.of(stages(FENCED), size);

        for (Model model : GPU) {
            assertThat(Search.violation(MemoryModel.of(model), program)).isEmpty();
        }
    }
}
