package io.lockstep.litmus.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FileJudgeTest {
    static Stream<String> examples() {
        return Examples.NAMES.stream();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void everyExampleSaysWhatIsSo(String name) {
        FileVerdict verdict = FileJudge.judge(name, Examples.text(name));

        assertThat(verdict.answer()).as("%s", verdict).isEqualTo(FileVerdict.Answer.HOLDS);
        assertThat(verdict.name()).isEqualTo(name);
    }

    @ParameterizedTest
    @MethodSource("examples")
    void everyExampleTurnedRoundFails(String name) {
        String text = Examples.text(name);
        String turned = text.contains("~exists")
                ? text.replace("~exists", "exists")
                : text.contains("forall") ? text.replace("forall", "~exists") : text.replace("exists", "~exists");

        assertThat(FileJudge.judge(name, turned).answer()).isEqualTo(FileVerdict.Answer.FAILS);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "fence.proxy.alias",
                "bar.cta.sync r1",
                "bar.cta.sync 1, 64",
                "suld.weak r0, x",
                "ld.relaxed r0, x",
                "atom.relaxed.sys.xor r0, x, 1"
            })
    void whatIsLeftOutIsNamedAndSkipped(String instruction) {
        FileVerdict verdict =
                FileJudge.judge("file", "PTX t\n{ x=0; }\n P0@cta 0,gpu 0 ;\n " + instruction + " ;\nexists (x == 1)");

        assertThat(verdict.answer()).isEqualTo(FileVerdict.Answer.SKIPPED);
        assertThat(verdict.skipped()).contains(instruction);
    }

    @Test
    void whatIsNoTestIsSkipped() {
        assertThat(FileJudge.judge("notes.txt", "hello").answer()).isEqualTo(FileVerdict.Answer.SKIPPED);
        assertThat(FileJudge.judge("notes.txt", "hello").name()).isEqualTo("notes.txt");
    }

    @Test
    void atomicsLoopsAndRegistersAreUnderstood() {
        String lock = """
                PTX ticket-lock
                "two increments under a lock"
                {
                next=0; now=0; x=0;
                }
                 P0@cta 0,gpu 0                    | P1@cta 1,gpu 1                    ;
                 atom.relaxed.sys.plus r1, next, 1 | atom.relaxed.sys.plus r1, next, 1 ;
                 SPIN:                             | SPIN:                             ;
                 ld.acquire.sys r2, now            | ld.acquire.sys r2, now            ;
                 bne r1, r2, SPIN                  | bne r1, r2, SPIN                  ;
                 ld.weak r3, x                     | ld.weak r3, x                     ;
                 st.weak x, 1                      | st.weak x, 1                      ;
                 atom.%s.sys.plus r4, now, 1       | atom.%s.sys.plus r4, now, 1       ;
                exists
                (P0:r3 == 0 /\\ P1:r3 == 0)
                """;

        assertThat(FileJudge.judge("lock", lock.replace("%s", "release")).answer())
                .isEqualTo(FileVerdict.Answer.FAILS);
        assertThat(FileJudge.judge("lock", lock.replace("%s", "relaxed")).answer())
                .isEqualTo(FileVerdict.Answer.HOLDS);
    }
}
