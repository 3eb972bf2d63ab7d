package io.lockstep.litmus.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.protocol.Placement;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Scope;
import io.lockstep.core.protocol.Step;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class SimulatorTest {
    static Stream<Protocol> right() {
        return Protocols.all().stream()
                .filter(protocol -> !protocol.isCpu() && !Protocols.historical().contains(protocol));
    }

    static Stream<Protocol> wrong() {
        return Protocols.historical().stream();
    }

    private static Simulation small(Protocol protocol, long seed) {
        return Simulation.of(protocol, 4, 64, 256, 20, seed);
    }

    private static int firstBad(SimulationResult result) {
        assertThat(result.right()).as("%s", result).isFalse();
        return Objects.requireNonNull(result.firstBad()).iteration();
    }

    @ParameterizedTest
    @MethodSource("right")
    void aRightProtocolIsRightOnEveryMachine(Protocol protocol) {
        for (Profile profile : Profile.values()) {
            for (Placement placement : Placement.values()) {
                if (protocol.allows(placement)) {
                    for (long seed = 1; seed <= 20; seed++) {
                        SimulationResult result = small(protocol, seed)
                                .on(profile, placement, Scope.DEVICE)
                                .withFull(seed == 1)
                                .run();
                        assertThat(result.right())
                                .as("seed %d: %s", seed, result)
                                .isTrue();
                        assertThat(result.maxAbsError()).isZero();
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void aWrongProtocolGivesWrongNumbersOnTheWeakestMachine(Protocol protocol) {
        for (long seed = 1; seed <= 20; seed++) {
            SimulationResult result = small(protocol, seed).run();
            assertThat(firstBad(result)).as("seed %d: %s", seed, result).isLessThan(3);
            assertThat(result.maxAbsError()).isGreaterThan(0.5);
        }
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void theSameSeedGivesTheSameFirstBad(Protocol protocol) {
        SimulationResult once = small(protocol, 42).withCalm(true).run();
        SimulationResult again = small(protocol, 42).withCalm(true).run();

        assertThat(again.firstBad()).isEqualTo(once.firstBad());
        assertThat(again.maxAbsError()).isEqualTo(once.maxAbsError());
        assertThat(again.wrongRows()).isEqualTo(once.wrongRows());
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void aCalmAdversaryLetsHundredsOfCallsPassFirst(Protocol protocol) {
        SimulationResult result =
                Simulation.of(protocol, 4, 64, 256, 2000, 7).withCalm(true).run();

        assertThat(firstBad(result)).isGreaterThan(200);
        assertThat(result.wrongIterations()).isLessThan(20);
    }

    @ParameterizedTest
    @CsvSource({
        "relaxed, GFX942, LATER_KERNEL, true",
        "device-acquire, GFX942, SAME_KERNEL, false",
        "device-acquire, GFX942, LATER_KERNEL, false",
        "device-acquire, WEAKEST, LATER_KERNEL, true",
        "release-only, GFX942, SAME_KERNEL, true",
        "release-only, GFX942, LATER_KERNEL, false",
        "release-only, HOME_L2, SAME_KERNEL, true",
        "acquire-only, HOME_L2, SAME_KERNEL, true",
        "relaxed-start, GFX942, LATER_KERNEL, true",
        "no-end-barrier, HOME_L2, LATER_KERNEL, true",
        "relaxed-end-barrier, GFX942, SAME_KERNEL, false",
    })
    void eachMachineShowsWhatItsCachesAllow(String name, Profile profile, Placement placement, boolean wrong) {
        boolean found = false;
        for (long seed = 1; seed <= 5; seed++) {
            found |= !small(Protocols.named(name).orElseThrow(), seed)
                    .on(profile, placement, Scope.DEVICE)
                    .run()
                    .right();
        }
        assertThat(found).isEqualTo(wrong);
    }

    @Test
    void withFullTheRowsThatSawNothingWrongAreComputedToo() {
        SimulationResult some = small(Protocols.deviceAcquire(), 5).run();
        SimulationResult all =
                small(Protocols.deviceAcquire(), 5).withFull(true).run();

        assertThat(all.maxAbsError()).isEqualTo(some.maxAbsError());
        assertThat(all.wrongRows()).isEqualTo(some.wrongRows());
    }

    @Test
    void rearmingThatIsNotReleasedLosesWordsAndTheReceiverHangs() {
        SimulationResult result = small(
                        push(
                                "unreleased",
                                step -> step instanceof Step.Fence fence
                                        && fence.order().releases()),
                        3)
                .run();

        assertThat(result.right()).isFalse();
        assertThat(result.hung()).contains("waits for ever", "re-arming has overwritten");
    }

    @Test
    void wordsThatAreNeverRearmedAreTakenForThoseOfALaterCall() {
        SimulationResult result = small(push("never re-armed", Step.RearmWords.class::isInstance), 3)
                .run();

        // The buffer of the first call is used again in the fifth.
        assertThat(firstBad(result)).isEqualTo(4);
        assertThat(result.maxAbsError()).isGreaterThan(0.5);
    }

    private static Protocol push(String name, Predicate<Step> leftOut) {
        Protocol right = Protocols.oneShotPush();
        return right.withSteps(
                name, right.steps().stream().filter(leftOut.negate()).toList());
    }

    @Test
    void aSystemScopeKernelBoundaryHidesTheDeviceScopeAcquire() {
        assertThat(small(Protocols.deviceAcquire(), 3)
                        .on(Profile.WEAKEST, Placement.LATER_KERNEL, Scope.SYSTEM)
                        .run()
                        .right())
                .isTrue();
    }

    @Test
    void oddShapesRun() {
        for (int devices = 2; devices <= 8; devices++) {
            assertThat(Simulation.of(Protocols.twoShotPull(), devices, 13, 2040, 2, 5)
                            .run()
                            .right())
                    .isTrue();
            assertThat(Simulation.of(Protocols.relaxed(), devices, 1, 2880, 40, 5)
                            .run()
                            .right())
                    .isFalse();
        }
    }

    @Test
    void whatCannotBeRunIsRefused() {
        assertThatThrownBy(() -> small(Protocols.cpuOneShot(), 1)).hasMessageContaining("CPU ranks");
        assertThatThrownBy(() -> Simulation.of(Protocols.relaxed(), 9, 1, 1, 1, 1))
                .hasMessageContaining("2 to 8");
    }
}
