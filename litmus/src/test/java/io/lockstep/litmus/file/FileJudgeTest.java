package io.lockstep.litmus.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
                "atom.relaxed.sys.xor r0, x, 1",
                "ld.release.sys r0, x",
                "ld.sc.sys r0, x",
                "st.acquire.sys x, 1",
                "atom.weak.sys.add r0, x, 1",
                "fence.relaxed.sys",
                "ld.relaxed.sys.v2.u64 r0, x",
                "st.weak x, 99999999999999999999",
                "st.weak x[1], 1",
                "bar.cta.sync 99999999999",
                "goto LC9",
                "atom.relaxed.sys.add"
            })
    void whatIsLeftOutIsNamedAndSkipped(String instruction) {
        FileVerdict verdict =
                FileJudge.judge("file", "PTX t\n{ x=0; }\n P0@cta 0,gpu 0 ;\n " + instruction + " ;\nexists (x == 1)");

        assertThat(verdict.answer()).isEqualTo(FileVerdict.Answer.SKIPPED);
        assertThat(verdict.skipped()).contains(instruction.startsWith("goto") ? "LC9" : instruction);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            quoteCharacter = '"',
            value = {
                "{ x=99999999999999999999; } P0@cta 0,gpu 0 ; st.weak x, 1 ; exists (x == 1) ! the initial value",
                "{ x[2]; } P0@cta 0,gpu 0 ; st.weak x, 1 ; exists (x == 1) ! the initial value 'x[2]'",
                "{ x=0; } P0@cta 99999999999,gpu 0 ; st.weak x, 1 ; exists (x == 1) ! the thread",
                "{ x=0; } P0@cta 0,gpu 0 | P0@cta 1,gpu 0 ; st.weak x, 1 ; exists (x == 1) ! two threads called P0",
                "{ x=0; } P0@cta 0,gpu 0 ; st.weak x, 1 | st.weak x, 2 ; exists (x == 2) ! 2 instructions for 1 thread",
                "{ x=0; } P0@cta 0,gpu 0 ; st.weak x, 1 ; exists (P0:r7 == 0) ! 'P0:r7' in the condition",
                "{ x=0; } P0@cta 0,gpu 0 ; st.weak x, 1 ; exists (P5:r0 == 0) ! 'P5:r0' in the condition",
                "{ x=0; } P0@cta 0,gpu 0 ; st.weak x, 1 ; exists (z == 0) ! 'z' in the condition",
                "{ x=0; } P0@cta 0,gpu 0 ; st.weak x, 1 ; exists ((x == 1) ! the brackets",
                "{ x=0; } P0@cta 0,gpu 0 ; st.weak x, 1 ; exists (x == 9999999999999999999) ! in the condition",
                "{ x=0; } P0@cta 0,gpu 0 ; st.weak x, 1 ; exists ! the end of the condition",
                "{ x=0; } exists (x == 1) ! a test without threads"
            })
    void whatIsWrittenWronglyIsNamedAndSkipped(String text, String named) {
        FileVerdict verdict = FileJudge.judge("file", "PTX t " + text);

        assertThat(verdict.answer()).isEqualTo(FileVerdict.Answer.SKIPPED);
        assertThat(verdict.skipped()).contains(named);
    }

    @Test
    void threadsThatPollForEachOtherGoOn() {
        String handshake = """
                PTX handshake
                { x=0; y=0; z=0; }
                 P0@cta 0,gpu 0      | P1@cta 0,gpu 1      ;
                 st.weak z, 1        | LC1:                ;
                 st.release.sys x, 1 | ld.acquire.sys r0, x ;
                 LC0:                | bne r0, 1, LC1      ;
                 ld.acquire.sys r0, y | ld.weak r1, z      ;
                 bne r0, 1, LC0      | st.release.sys y, 1 ;
                %s (P1:r1 == %d)
                """;

        assertThat(FileJudge.judge("file", handshake.formatted("exists", 1)).answer())
                .isEqualTo(FileVerdict.Answer.HOLDS);
        assertThat(FileJudge.judge("file", handshake.formatted("~exists", 0)).answer())
                .isEqualTo(FileVerdict.Answer.HOLDS);
    }

    @Test
    void aLoopThatCountsIsJudgedAsFarAsItWasTriedAndNoFurther() {
        String counting = """
                PTX counting
                { x=0; }
                 P0@cta 0,gpu 0              ;
                 LC0:                        ;
                 atom.relaxed.sys.add r0, x, 1 ;
                 bne r0, %d, LC0              ;
                exists (x == %d)
                """;

        assertThat(FileJudge.judge("file", counting.formatted(1, 2)).answer()).isEqualTo(FileVerdict.Answer.HOLDS);
        FileVerdict verdict = FileJudge.judge("file", counting.formatted(3, 4));
        assertThat(verdict.answer()).isEqualTo(FileVerdict.Answer.SKIPPED);
        assertThat(verdict.skipped()).contains("a loop that does something else in each round");
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
