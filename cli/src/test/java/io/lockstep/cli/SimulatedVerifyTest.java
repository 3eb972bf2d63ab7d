package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.cli.console.ExitStatus;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code verify --backend sim}: the old bugs, on any machine. */
final class SimulatedVerifyTest {
    static Stream<Protocol> simulated() {
        return Protocols.all().stream().filter(protocol -> !protocol.isCpu());
    }

    static Stream<Protocol> wrong() {
        return Protocols.historical().stream();
    }

    private static Lockstep simulate(Protocol protocol, String... more) {
        List<String> arguments = new ArrayList<>(
                List.of("verify", "--backend", "sim", "--protocol", protocol.name(), "--tp", "8", "--seed", "11"));
        arguments.addAll(List.of(more));
        return Lockstep.run(arguments.toArray(String[]::new));
    }

    private static JsonNode json(Protocol protocol, String... more) {
        List<String> arguments = new ArrayList<>(List.of(more));
        arguments.addAll(List.of("--json", "-"));
        return JsonMapper.shared()
                .readTree(simulate(protocol, arguments.toArray(String[]::new)).out());
    }

    @ParameterizedTest
    @MethodSource("simulated")
    void theExitCodeSaysWhetherTheProtocolIsRight(Protocol protocol) {
        Lockstep run = simulate(protocol, "--shapes", "64x256,13x2040", "--iterations", "10");

        boolean right = !Protocols.historical().contains(protocol);
        assertThat(run.err()).isEmpty();
        assertThat(run.status()).as(run.out()).isEqualTo(right ? ExitStatus.RIGHT : ExitStatus.WRONG);
        if (right) {
            assertThat(run.out()).contains("Right: 2 shapes").doesNotContain("WRONG", "first_bad  iteration");
        } else {
            assertThat(run.out())
                    .contains(
                            "WRONG: 2 of 2 shapes",
                            "iteration 0, rank ",
                            "lockstep litmus --explain " + protocol.name());
        }
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void theSameSeedGivesTheSameFirstBadAndError(Protocol protocol) {
        String[] options = {"--shapes", "64x256", "--iterations", "20"};
        JsonNode once = json(protocol, options).path("results").path(0);
        JsonNode again = json(protocol, options).path("results").path(0);

        assertThat(once.path("first_bad").path("iteration").isInt()).isTrue();
        assertThat(again.path("first_bad")).isEqualTo(once.path("first_bad"));
        assertThat(again.path("max_abs_err")).isEqualTo(once.path("max_abs_err"));
        assertThat(once.path("max_abs_err").doubleValue()).isGreaterThan(0.5);
    }

    @Test
    void withACalmAdversaryHundredsOfCallsAreRightFirst() {
        JsonNode run = json(Protocols.relaxed(), "--shapes", "64x2880", "--calm", "--budget", "60");

        JsonNode result = run.path("results").path(0);
        assertThat(run.path("adversary").stringValue()).isEqualTo("calm");
        assertThat(result.path("verdict").stringValue()).isEqualTo("wrong");
        // It ends with the first wrong call, long before the budget does.
        assertThat(result.path("first_bad").path("iteration").intValue())
                .isGreaterThan(100)
                .isEqualTo(result.path("iterations").intValue() - 1);
    }

    @Test
    void everyRowIsComputedOnRequest() {
        JsonNode some = json(Protocols.relaxed(), "--shapes", "13x2040", "--iterations", "5");
        JsonNode all = json(Protocols.relaxed(), "--shapes", "13x2040", "--iterations", "5", "--full");

        assertThat(all.path("results").path(0).path("max_abs_err"))
                .isEqualTo(some.path("results").path(0).path("max_abs_err"));
    }

    @Test
    void aMachineThatForgivesIsRight() {
        assertThat(simulate(
                                Protocols.deviceAcquire(),
                                "--shapes",
                                "64x256",
                                "--iterations",
                                "10",
                                "--machine",
                                "gfx942")
                        .status())
                .isEqualTo(ExitStatus.RIGHT);
    }

    @Test
    void withoutIterationsEveryShapeOfVerifyIsRunWithinTheBudget() {
        Lockstep run = simulate(Protocols.twoShotPush(), "--budget", "3");

        assertThat(run.status()).as(run.out() + run.err()).isEqualTo(ExitStatus.RIGHT);
        assertThat(run.out()).contains("16384x2880", "Right: 13 shapes");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--protocol nonsense | --protocol is 'nonsense': expected one-shot-pull",
                "--protocol cpu-one-shot | --protocol is 'cpu-one-shot': expected one-shot-pull",
                "--machine abacus | --machine is 'abacus': expected weakest, gfx942, home-l2",
                "--tp 9 | world size is 9",
                "--dtype fp32 | --backend sim computes in bf16, and --dtype is fp32",
                "--plant lose-last-row | --plant is given, but --backend sim has no ranks of its own",
                "--threads 2 | --threads is given",
                "--iterations -1 | --iterations is -1"
            })
    void whatCannotBeSimulatedIsWrongUsage(String options, String expected) {
        List<String> arguments = new ArrayList<>(List.of("verify", "--backend", "sim"));
        arguments.addAll(List.of(options.split(" ")));
        Lockstep run = Lockstep.run(arguments.toArray(String[]::new));

        assertThat(run.status()).isEqualTo(ExitStatus.USAGE);
        assertThat(run.err()).contains(expected);
        assertThat(run.out()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "--protocol, relaxed, ranks of --backend cpu run the protocols of their own",
        "--machine, weakest, only --backend sim is a simulated machine"
    })
    void whatIsForTheSimulatorIsRefusedElsewhere(String option, String value, String why) {
        Lockstep run = Lockstep.run("verify", option, value);

        assertThat(run.status()).isEqualTo(ExitStatus.USAGE);
        assertThat(run.err()).contains(option + " is given, but " + why);
    }

    @Test
    void benchHasNothingToMeasureThere() {
        Lockstep run = Lockstep.run("bench", "--backend", "sim");

        assertThat(run.status()).isEqualTo(ExitStatus.USAGE);
        assertThat(run.err()).contains("no time to measure");
    }
}
