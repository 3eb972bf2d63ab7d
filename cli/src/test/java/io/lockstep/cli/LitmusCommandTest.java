package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.litmus.file.Examples;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class LitmusCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return new CommandLine(new LitmusCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    @Test
    void theTableNamesEveryProtocolAndItsVerdicts() {
        assertThat(run()).isZero();
        assertThat(out.toString())
                .contains("one-shot-push", "cpu-two-shot", "relaxed-end-barrier", "shared-slots")
                .contains("FORBIDDEN", "REACHABLE", "visible(sums)")
                .doesNotContain("expected otherwise");
    }

    @Test
    void ofTheThreeNamedCausesTwoAreBugsAndTheThirdIsNone() {
        assertThat(run()).isZero();
        assertThat(out.toString().lines().map(line -> line.replaceAll(" {2,}", "  ")))
                .anyMatch(
                        line -> line.startsWith("1. relaxed  a bug  a bug  the value passes, but the store is relaxed"))
                .anyMatch(line -> line.startsWith("2. device-acquire  a bug  a bug  the value passes, but scope .gpu"))
                .anyMatch(line -> line.startsWith("3. pollers-acquire  no bug  no bug  only the pollers acquire"));
    }

    @Test
    void theCounterexampleOfAProtocolIsTold() {
        assertThat(run("--explain", "device-acquire")).isZero();
        assertThat(out.toString())
                .contains("BROKEN", "scope .gpu of the load leaves out the writer", "[INTERESTING, as expected]");
    }

    @Test
    void aDefaultProtocolTellsWhatEachOfItsStrengthsIsFor() {
        assertThat(run("--explain", "one-shot-push")).isZero();
        assertThat(out.toString())
                .contains("FORBIDDEN, no execution breaks a promise")
                .contains("re-arm words: over the extent of the new call")
                .contains("send headers: without the fingerprint", "of-this-round(words)", "not-lost(words)")
                .doesNotContain("expected otherwise");
    }

    @Test
    void theCounterexampleOfAProtocolMadeWeakerIsTold() {
        assertThat(run("--explain", "one-shot-push (release fence 1: left out)"))
                .isZero();
        assertThat(out.toString()).contains("not-lost(words)", "polls for ever");
    }

    @Test
    void jsonTellsTheWeakeningsToo() {
        assertThat(run("--json", "--explain", "cpu-two-shot")).isZero();
        JsonNode weakenings = JsonMapper.shared().readTree(out.toString()).get("weakenings");
        assertThat(weakenings.size()).isGreaterThan(5);
        for (JsonNode weakening : weakenings) {
            assertThat(weakening.get("caught").asBoolean())
                    .isEqualTo(weakening.get("redundant").asString().isEmpty());
        }
    }

    @Test
    void theInterleavingOfALaunchIsTold() {
        assertThat(run("--explain", "not-co-resident")).isZero();
        assertThat(out.toString()).contains("It can hang", "waits for ever");
    }

    @Test
    void anUnknownNameIsWrongUsage() {
        assertThat(run("--explain", "nonsense")).isEqualTo(2);
        assertThat(err.toString()).contains("nonsense", "one-shot-pull");
    }

    @Test
    void filesAreJudged(@TempDir Path directory) throws IOException {
        Path right = directory.resolve("right.litmus");
        Files.writeString(right, Examples.text("fenced-flags"));
        Path wrong = directory.resolve("wrong.litmus");
        Files.writeString(wrong, Examples.text("fenced-flags").replace("~exists", "exists"));
        Path other = directory.resolve("other.litmus");
        Files.writeString(other, "no test");

        assertThat(run(right.toString(), other.toString())).isZero();
        assertThat(out.toString()).contains("HOLDS", "SKIPPED", "not supported");
        assertThat(run(right.toString(), wrong.toString())).isEqualTo(1);
        assertThat(run(directory.resolve("missing").toString())).isEqualTo(2);
    }

    @Test
    void jsonCarriesASchemaNumber() {
        assertThat(run("--json", "--explain", "relaxed")).isZero();
        JsonNode tree = JsonMapper.shared().readTree(out.toString());
        assertThat(tree.get("schema").asInt()).isEqualTo(1);
        assertThat(tree.get("protocols").size()).isEqualTo(5);
        assertThat(tree.get("protocols").get(0).get("verdict").asString()).isEqualTo("REACHABLE");
    }

    @Test
    void aListingIsInspectedAndWhatIsWrongIsNamed(@TempDir Path directory) throws IOException {
        Path listing = directory.resolve("kernels.s");
        Files.writeString(listing, """
                \t.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
                ls_one_shot_push:
                \tflat_load_dword v0, v[0:1]
                \ts_endpgm
                """);
        assertThat(run("--isa", listing.toString())).isEqualTo(1);
        assertThat(out.toString()).contains("gfx942", "ls_one_shot_push, line 3: flat:", "missing-step");
        out.getBuffer().setLength(0);
        assertThat(run("--json", "--isa", listing.toString())).isEqualTo(1);
        JsonNode tree = JsonMapper.shared().readTree(out.toString());
        assertThat(tree.get("right").asBoolean()).isFalse();
        assertThat(tree.get("findings").get(0).get("rule").asString()).isNotEmpty();
    }

    @Test
    void whatCannotBeInspectedIsWrongUsage(@TempDir Path directory) throws IOException {
        Path other = Files.writeString(directory.resolve("other.txt"), "nothing");
        assertThat(run("--isa", other.toString())).isEqualTo(2);
        Path bundle = Files.writeString(directory.resolve("bundle.o"), "__CLANG_OFFLOAD_BUNDLE__ and more");
        assertThat(run("--isa", bundle.toString())).isEqualTo(2);
        Path lost = Files.writeString(
                directory.resolve("lost.s"),
                ".amdgcn_target \"amdgcn-amd-amdhsa--gfx942\"\nls_one_shot_push:\n\ts_branch nowhere\n");
        assertThat(run("--isa", lost.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("clang-offload-bundler", "'nowhere'");
        assertThat(run("--isa", "gfx942:nonsense")).isEqualTo(2);
        assertThat(run("--isa", "gfx000")).isEqualTo(2);
        assertThat(run("--isa", "gfx942", "--explain", "relaxed")).isEqualTo(2);
        assertThat(err.toString()).contains("gfx000", "gfx1250", ".amdgcn_target");
    }
}
