package io.lockstep.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.protocol.Promise;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Reachability;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the build asks of every protocol that Lockstep runs. */
class DutiesTest {
    static Stream<Protocol> defaults() {
        return Protocols.defaults().stream();
    }

    static Stream<Protocol> all() {
        return Protocols.all().stream();
    }

    @ParameterizedTest
    @MethodSource("defaults")
    void aDefaultKeepsEveryPromiseEverywhere(Protocol protocol) {
        for (Protocol form : forms(protocol)) {
            for (int devices = 2; devices <= 3; devices++) {
                for (int calls = 2; calls <= 3; calls++) {
                    for (Setting setting : Setting.of(form, devices, calls)) {
                        Verdict verdict = Judge.judge(form, setting);
                        assertThat(verdict.found())
                                .as("%s under %s: %s", form.name(), setting, verdict.counterexample())
                                .isEqualTo(Reachability.FORBIDDEN);
                    }
                }
            }
        }
    }

    /** A CPU call of one chunk stages nothing ahead, one of many chunks always does: both occur. */
    static List<Protocol> forms(Protocol protocol) {
        if (protocol.lookAhead() == 0) {
            return List.of(protocol);
        }
        List<Step> steps = new ArrayList<>();
        for (Step step : protocol.steps()) {
            steps.add(
                    switch (step) {
                        case Step.WriteData write -> new Step.WriteData(write.role(), write.buffer(), write.home());
                        case Step.StoreFlag store ->
                            new Step.StoreFlag(
                                    store.role(), store.flags(), store.epoch(), store.order(), store.scope());
                        default -> step;
                    });
        }
        return List.of(protocol, protocol.withSteps(protocol.name() + " without look-ahead", steps));
    }

    @ParameterizedTest
    @MethodSource("defaults")
    void everySingleWeakeningIsCaughtOrListedAsRedundant(Protocol protocol) {
        TreeSet<String> missed = new TreeSet<>();
        TreeSet<String> redundant = new TreeSet<>();
        for (Weakening weakening : Weakening.of(protocol)) {
            if (!weakening.isCaught()) {
                missed.add(weakening.protocol().name());
            }
            if (Weakening.redundant().containsKey(weakening.protocol().name())) {
                redundant.add(weakening.protocol().name());
            }
        }
        assertThat(missed).isEqualTo(redundant);
    }

    static Stream<Protocol> pushes() {
        return Stream.of(Protocols.oneShotPush(), Protocols.twoShotPush());
    }

    @ParameterizedTest
    @MethodSource("pushes")
    @Tag("slow")
    void aPushKeepsEveryPromiseWhateverExtentsItsCallsHave(Protocol protocol) {
        for (int calls = 2; calls <= 3; calls++) {
            for (Setting setting : Setting.of(protocol, 2, calls)) {
                List<Course> courses = Course.ofAllExtents(setting.rounds(protocol));
                Verdict verdict = Judge.judge(protocol, setting, courses);
                assertThat(verdict.found())
                        .as("%s under %s: %s", protocol.name(), setting, verdict.counterexample())
                        .isEqualTo(Reachability.FORBIDDEN);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("pushes")
    void rearmingOverTheExtentOfTheNewCallTakesWordsOfAnEarlierOne(Protocol protocol) {
        assertThat(brokenBy(protocol, "over the extent of the new call"))
                .allSatisfy(broken -> assertThat(broken)
                        .containsAnyOf("of-this-round(words)", "of-this-round(rows)", "of-this-round(sums)"));
    }

    @ParameterizedTest
    @MethodSource("pushes")
    void aHeaderThatDoesNotNameTheCallLetsTheWordsOfAnotherOnePass(Protocol protocol) {
        for (String fault :
                List.of("send headers: without the epoch", "send headers: without the fingerprint", "left out")) {
            String which = fault.equals("left out") ? "check headers: left out" : fault;
            assertThat(brokenBy(protocol, which))
                    .as(which)
                    .allSatisfy(
                            broken -> assertThat(broken).containsAnyOf("of-this-round(words)", "of-this-round(rows)"));
        }
    }

    /** What every model shows of each weakening whose description has these words. */
    private static List<String> brokenBy(Protocol protocol, String change) {
        List<String> broken = Weakening.of(protocol).stream()
                .filter(weakening -> weakening.description().contains(change))
                .flatMap(weakening -> Judge.table(List.of(weakening.protocol())).stream())
                .map(Verdict::broken)
                .toList();
        assertThat(broken).as(change).isNotEmpty();
        return broken;
    }

    /** Headers are the last thing that is looked at: each strength of re-arming is needed for the words themselves. */
    @ParameterizedTest
    @MethodSource("pushes")
    void whatOrdersRearmingIsNeededForTheWords(Protocol protocol) {
        for (String step :
                List.of("fence", "rearmed", "re-arm", "words: 3 copies", "rows: 3 copies", "sums: 3 copies")) {
            Weakening.of(protocol).stream()
                    .filter(weakening -> weakening.description().contains(step))
                    .forEach(weakening -> assertThat(Judge.table(List.of(weakening.protocol())))
                            .as(weakening.description())
                            .anySatisfy(verdict ->
                                    assertThat(verdict.broken()).isNotEmpty().doesNotContain("(headers)")));
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void everyVerdictIsTheOneThatTheProtocolCarries(Protocol protocol) {
        for (Verdict verdict : Judge.table(List.of(protocol))) {
            assertThat(verdict.asExpected())
                    .as("%s under %s: %s", verdict.protocol(), verdict.setting(), verdict.found())
                    .isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void aCounterexampleNamesThePromiseAndTheLinkThatDoesNotHold(Protocol protocol) {
        for (Verdict verdict : Judge.table(List.of(protocol))) {
            if (verdict.found() == Reachability.REACHABLE) {
                assertThat(verdict.broken()).isNotEmpty();
                assertThat(String.join("\n", verdict.counterexample()))
                        .as("%s under %s", protocol.name(), verdict.setting())
                        .containsAnyOf("BROKEN", "nothing orders the two", "nothing tells that call's words");
            }
        }
    }

    @Test
    void everyProtocolPromisesSomethingOfEveryBufferThatItReads() {
        for (Protocol protocol : Protocols.all()) {
            for (Step step : protocol.steps()) {
                if (step instanceof Step.ReadData read) {
                    assertThat(protocol.promises())
                            .contains(
                                    new Promise(Promise.Kind.VISIBLE, read.buffer()),
                                    new Promise(Promise.Kind.UNDISTURBED, read.buffer()));
                } else if (step instanceof Step.ReceiveWords receive) {
                    assertThat(protocol.promises())
                            .contains(
                                    new Promise(Promise.Kind.OF_THIS_ROUND, receive.words()),
                                    new Promise(Promise.Kind.NOT_LOST, receive.words()));
                } else if (step instanceof Step.CheckHeader check) {
                    assertThat(protocol.promises()).contains(new Promise(Promise.Kind.OF_THIS_ROUND, check.headers()));
                }
            }
        }
    }
}
