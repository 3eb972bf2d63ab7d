package io.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script {@code ./lockstep}, in a folder of its own with a Java and a Maven that only say what they were asked to
 * do.
 */
@Timeout(60)
final class LauncherTest {
    private static final Path LAUNCHER = Path.of("..", "lockstep");
    /** Answers like a Java 25, and else prints its arguments and what its standard error is. */
    private static final String JAVA = """
            #!/bin/sh
            if [ "$1" = -version ]; then echo 'openjdk version "VERSION" 2025-10-21' >&2; exit 0; fi
            echo "java $*"
            echo "Using incubator modules" >&2
            echo "restored" >&3
            exit 5
            """;
    /** Takes a second, as a build does, and writes down that it ran. */
    private static final String MAVEN = """
            #!/bin/sh
            echo "$*" >>"$BUILDS"
            sleep 1
            [ -e "$BROKEN" ] && echo "it does not compile" && exit 1
            mkdir -p cli/target/app
            """;

    @TempDir
    Path folder;

    private Path home;
    private Path bin;
    private Path java;
    private Path builds;
    private Path broken;

    /** What the script did. */
    private record Run(int status, String out, String err) {}

    @BeforeEach
    void layOut() throws IOException {
        home = Files.createDirectories(folder.resolve("the home"));
        bin = Files.createDirectories(folder.resolve("bin"));
        builds = folder.resolve("builds");
        broken = folder.resolve("broken");
        Files.copy(LAUNCHER, home.resolve("lockstep"));
        Files.writeString(home.resolve("pom.xml"), "<project/>");
        Files.createDirectories(home.resolve("core/src/main"));
        java = program(folder.resolve("jdk/bin/java"), JAVA.replace("VERSION", "25.0.3"));
        program(bin.resolve("mvn"), MAVEN);
        for (String tool : List.of(
                "sh", "grep", "find", "head", "tail", "mkdir", "rm", "mv", "cat", "sleep", "dirname", "readlink")) {
            program(bin.resolve(tool), "#!/bin/sh\nexec " + which(tool) + " \"$@\"\n");
        }
    }

    @Test
    void theFirstStartBuildsOnceAndSaysSoInOneLine() throws Exception {
        Run first = run(home, "./lockstep", "doctor", "--json", "a b");
        assertThat(first.err()).isEqualTo("lockstep: building the jars (a minute the first time).\nrestored\n");
        assertThat(first.out())
                .contains("--add-modules=jdk.incubator.vector", "--enable-native-access=io.lockstep.core")
                .endsWith("io.lockstep.cli.Main doctor --json a b\n");
        assertThat(first.status()).isEqualTo(5);
        assertThat(Files.readString(builds)).contains("-DskipTests", "-Dspotless.check.skip=true", "package");
        Run second = run(home, "./lockstep", "doctor");
        assertThat(second.err()).isEqualTo("restored\n");
        assertThat(Files.readAllLines(builds)).hasSize(1);
    }

    @Test
    void aSourceThatIsNewerThanTheJarsIsBuilt() throws Exception {
        run(home, "./lockstep", "doctor");
        Path source = Files.writeString(home.resolve("core/src/main/New.java"), "");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
        run(home, "./lockstep", "doctor");
        assertThat(Files.readAllLines(builds)).hasSize(2);
    }

    @Test
    void twoAtOnceBuildOnce() throws Exception {
        Process one = start(home, "./lockstep", "doctor");
        Process two = start(home, "./lockstep", "doctor");
        Run first = end(one);
        Run second = end(two);
        assertThat(Files.readAllLines(builds)).hasSize(1);
        assertThat(first.err() + second.err()).containsOnlyOnce("another build is running; waiting for it.");
        assertThat(first.status() + second.status()).isEqualTo(10);
    }

    @Test
    void theLockOfADeadBuildIsTakenOver() throws Exception {
        Path lock = Files.createDirectories(home.resolve("cli/target/.building"));
        Process dead = new ProcessBuilder("true").start();
        dead.waitFor();
        Files.writeString(lock.resolve("pid"), dead.pid() + "\n");
        Run run = run(home, "./lockstep", "doctor");
        assertThat(run.status()).isEqualTo(5);
        assertThat(lock).doesNotExist();
    }

    @Test
    void aFailedBuildShowsItsEndAndLeavesNoLock() throws Exception {
        Files.createFile(broken);
        Run run = run(home, "./lockstep", "doctor");
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.err()).contains("it does not compile", "the build failed; its whole output is in");
        Files.delete(broken);
        assertThat(run(home, "./lockstep", "doctor").status()).isEqualTo(5);
    }

    @Test
    void itWorksThroughLinksAndFromAnywhere() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("l1"), home.resolve("lockstep"));
        Files.createSymbolicLink(bin.resolve("ls"), Path.of("..", "l1"));
        Run run = run(folder.getRoot(), bin.resolve("ls").toString(), "doctor");
        assertThat(run.status()).isEqualTo(5);
        assertThat(run.out())
                .contains(home.toRealPath().resolve("cli/target/app").toString());
        assertThat(run(folder, link.getFileName().toString().replaceFirst("^", "./"), "doctor")
                        .status())
                .isEqualTo(5);
    }

    /** As {@code mvn verify} leaves them. */
    @Test
    void jarsThatMavenMadeByItselfAreTakenUntilASourceIsNewer() throws Exception {
        Path app = Files.createDirectories(home.resolve("cli/target/app"));
        for (String jar : List.of("lockstep-core.jar", "lockstep-cli.jar")) {
            Files.writeString(app.resolve(jar), "");
        }
        Path source = Files.writeString(home.resolve("core/src/main/Some.java"), "");
        FileTime then = FileTime.from(Instant.now().minusSeconds(60));
        for (Path older : List.of(home.resolve("pom.xml"), source, source.getParent())) {
            Files.setLastModifiedTime(older, then);
        }
        assertThat(run(home, "./lockstep", "doctor").err()).isEqualTo("restored\n");

        Files.setLastModifiedTime(
                app.resolve("lockstep-core.jar"), FileTime.from(Instant.now().minusSeconds(90)));
        assertThat(run(home, "./lockstep", "doctor").err()).contains("building the jars");
    }

    @Test
    void jarsWithoutSourcesNeedNoMaven() throws Exception {
        Files.delete(home.resolve("pom.xml"));
        Files.delete(bin.resolve("mvn"));
        assertThat(run(home, "./lockstep", "doctor").err()).contains("found neither jars in");
        Files.createDirectories(home.resolve("cli/target/app"));
        assertThat(run(home, "./lockstep", "doctor").status()).isEqualTo(5);
    }

    @Test
    void aMissingMavenIsToldInASentence() throws Exception {
        Files.delete(bin.resolve("mvn"));
        Run run = run(home, "./lockstep", "doctor");
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.err())
                .startsWith("lockstep: Maven was not found: install it")
                .hasLineCount(1);
    }

    @Test
    void anotherJavaIsNotTaken() throws Exception {
        program(java, JAVA.replace("VERSION", "17.0.15"));
        Run run = run(home, "./lockstep", "doctor");
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.err()).contains("which is no Java 25: set it to").hasLineCount(1);
    }

    @Test
    void plotAloneAsksForTheDrawingModule() throws Exception {
        assertThat(run(home, "./lockstep", "plot").out()).contains("--add-modules=xchart");
        assertThat(run(home, "./lockstep", "verify").out()).doesNotContain("xchart");
    }

    private Run run(Path directory, String... command) throws Exception {
        return end(start(directory, command));
    }

    private Process start(Path directory, String... command) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(command));
        ProcessBuilder builder = new ProcessBuilder(arguments).directory(directory.toFile());
        builder.environment().clear();
        builder.environment()
                .putAll(Map.of(
                        "PATH", bin.toString(),
                        "HOME", folder.toString(),
                        "LOCKSTEP_JAVA", java.toString(),
                        "BUILDS", builds.toString(),
                        "BROKEN", broken.toString()));
        return builder.start();
    }

    private static Run end(Process process) throws Exception {
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return new Run(process.exitValue(), out, err);
    }

    private static Path program(Path path, String text) throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
        return Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Path which(String tool) {
        return List.of("/usr/bin", "/bin").stream()
                .map(folder -> Path.of(folder, tool))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow();
    }
}
