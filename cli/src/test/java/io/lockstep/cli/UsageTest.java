package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.cli.console.ExitStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a person reads who gets a command wrong, or asks for help. */
final class UsageTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "verify --tp 1 | world size is 1: expected 2 to 8",
                "verify --tp 9 | world size is 9: expected 2 to 8",
                "verify --tp two | 'two'",
                "verify --shapes 1x | '1x' is no shape: expected TOKENSxHIDDEN",
                "verify --shapes 0x4 | expected 1 to 2^31 - 1 elements",
                "verify --shapes 99999x99999 | expected 1 to 2^31 - 1 elements",
                "verify --dtype int8 | Unknown dtype 'int8': expected bf16, fp16 or fp32",
                "verify --algorithm ring | Unknown algorithm 'ring'",
                "verify --iterations -1 | --iterations is -1",
                "verify --budget 0 | --budget is 0: expected 1 or more seconds",
                "verify --plant gremlin | --plant is 'gremlin': expected publish-before-write",
                "verify --plant-rank 8 | --plant-rank is 8: expected 0 to 7",
                "verify --save-failure /nowhere/at/all | expected a folder that exists",
                "verify --threads -1 | threads is -1",
                "verify --ranks-as fibres | --ranks-as is 'fibres': expected processes or threads",
                "verify --backend tpu | Unknown backend 'tpu'",
                "verify --algorithm one-shot-pull | which ranks on GPUs alone have",
                "verify --seed x | 'x'",
                "verify --frobnicate | --frobnicate",
                "bench --tp 0 | world size is 0",
                "bench --shapes ten | 'ten' is no shape",
                "bench --dtype int8 | Unknown dtype",
                "bench --algorithm ring | Unknown algorithm",
                "bench --input shared | --input is 'shared': expected private, lent or both",
                "bench --baseline nccl | --baseline is 'nccl': expected unfused, one-shot, two-shot or none",
                "bench --against x --against-variants fast | --against-variants has 'fast': expected ALGORITHM:COPY",
                "bench --against x --dtype fp32 | --against measures bf16 only",
                "bench --budget 0 | --budget is 0",
                "bench --warmup 0 | --warmup is 0",
                "bench --block 0 | --block is 0",
                "bench --bind perhaps | --bind is 'perhaps': expected yes, no or auto",
                "bench --ranks-as fibres | --ranks-as is 'fibres'",
                "bench --threads -2 | threads is -2",
                "bench --backend tpu | Unknown backend",
                "apply --input x.safetensors | --output",
                "apply --output x.safetensors | --input",
                "apply --input /nowhere.safetensors --output y | there is no such file",
                "apply --input /tmp --output y | it is a folder",
                "plot | FILE",
                "plot x.json | --output",
                "plot x.json -o y.pdf | expected a name that ends with .png",
                "plot /nowhere.json -o y.png | there is no such file",
                "run -n 2 | PROGRAM",
                "run -- true | --ranks",
                "run -n 1 -- true | world size is 1",
                "run -n 2 --group ../x -- true | group is '../x'",
                "run -n 2 --output loud -- true | --output is 'loud': expected auto, prefix or raw",
                "doctor --deep | --deep",
                "frobnicate | frobnicate",
                "`` | Which command?"
            })
    void wrongUseIsToldInASentenceAndExitsWithTwo(String arguments, String expected) {
        Lockstep run = Lockstep.run(arguments.isEmpty() ? new String[0] : arguments.split(" "));
        assertThat(run.err()).contains(expected).startsWith("lockstep: ").doesNotContain("\tat ");
        assertThat(run.status()).isEqualTo(ExitStatus.USAGE);
        assertThat(run.out()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"verify", "bench", "plot", "apply", "doctor", "run"})
    void everyCommandExplainsItself(String command) {
        Lockstep run = Lockstep.run(command, "--help");
        assertThat(run.status()).isEqualTo(ExitStatus.RIGHT);
        assertThat(run.out()).contains("lockstep " + command).doesNotContain("\u001b[");
        assertThat(run.out().lines()).allMatch(line -> line.length() <= 110);
    }

    @Test
    void theHelpNamesTheCommandsAndHidesTheRank() {
        Lockstep run = Lockstep.run("--help");
        assertThat(run.out()).contains("verify", "bench", "plot", "apply", "doctor", "run", "Exit codes");
        assertThat(run.out()).doesNotContain("rank ");
    }

    @Test
    void theVersionIsToldOnOneLine() {
        Lockstep run = Lockstep.run("--version");
        assertThat(run.out()).startsWith("lockstep ").hasLineCount(1);
    }

    @Test
    void theStackTraceIsShownOnRequestOnly() {
        assertThat(Lockstep.run("apply", "--input", "/nowhere", "--output", "y", "--verbose")
                        .err())
                .contains("CommandFailure", "\tat ");
    }
}
