package io.lockstep.core.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DriverException;
import io.lockstep.core.posix.Descriptor;
import io.lockstep.core.posix.Directory;
import io.lockstep.core.posix.UnixSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MeetingPlaceTest {
    private static final int NOBODY = 65534;

    @TempDir
    Path temporary;

    @Test
    void aMissingDirectoryIsMadeForThisUserAlone() throws Exception {
        Path path = temporary.resolve("lockstep");
        MeetingPlace.open(path).close();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rwx------");
        MeetingPlace.open(path).close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"rwxrwx---", "rwx---r--", "rwx-----x", "r-x------"})
    void aDirectoryWithAnotherModeIsRefused(String mode) {
        Path path = Joining.directory(temporary, "lockstep", mode);
        assertRefused(path, "has mode 0");
        assertRefused(path, "chmod 0700 " + path);
    }

    @Test
    void aLinkIsNotFollowed() throws Exception {
        Path target = Joining.directory(temporary, "target", "rwx------");
        assertRefused(Files.createSymbolicLink(temporary.resolve("link"), target), "not a directory but a link");
        assertRefused(
                Files.createSymbolicLink(temporary.resolve("dangling"), temporary.resolve("nothing")),
                "not a directory but a link");
        assertThat(temporary.resolve("nothing")).doesNotExist();
    }

    @Test
    void aFileIsRefused() throws Exception {
        assertRefused(Files.createFile(temporary.resolve("file")), "not a directory");
    }

    @Test
    void aDirectoryOfAnotherUserIsRefused() throws Exception {
        assumeTrue(Directory.currentUser() == 0, "only root can give a directory away");
        Path path = Joining.directory(temporary, "lockstep", "rwx------");
        Files.setAttribute(path, "unix:uid", NOBODY);
        assertRefused(path, "belongs to user " + NOBODY + " and not to user 0");
    }

    @Test
    void aDirectoryThatCannotBeMadeIsRefused() {
        assertRefused(temporary.resolve("missing").resolve("lockstep"), "cannot be made");
    }

    @Test
    void refusingLeavesNothingOpen() {
        Path path = Joining.directory(temporary, "lockstep", "rwxr-x---");
        assertRefused(path, "has mode 0750");
        int before = Joining.openDescriptors();
        for (int i = 0; i < 10; i++) {
            assertRefused(path, "has mode 0750");
        }
        assertThat(Joining.openDescriptors()).isEqualTo(before);
    }

    @Test
    void theRuntimeDirectoryIsTakenIfItIsGoodAndATemporaryOneOtherwise() throws Exception {
        Path good = Joining.directory(temporary, "good", "rwx------");
        Path open = Joining.directory(temporary, "open", "rwxr-xr-x");
        Path otherwise = temporary.resolve("lockstep-" + Directory.currentUser());
        assertThat(path(good.toString())).isEqualTo(good.resolve("lockstep"));
        assertThat(path(open.toString())).isEqualTo(otherwise);
        assertThat(path("relative")).isEqualTo(otherwise);
        assertThat(path(temporary.resolve("missing").toString())).isEqualTo(otherwise);
        assertThat(path("")).isEqualTo(otherwise);
        assertThat(MeetingPlace.path(Map.of(), temporary)).isEqualTo(otherwise);
    }

    @Test
    void aPathThatIsTooLongForASocketWorks() {
        Path path = Joining.directory(temporary, "x".repeat(120), "rwx------");
        try (MeetingPlace place = MeetingPlace.open(path)) {
            MeetingPlace.Listener listener =
                    Objects.requireNonNull(place.listen("g".repeat(64), Deadline.after(Duration.ofSeconds(1))));
            assertThat(path.resolve("g".repeat(64) + ".sock")).exists();
            assertThat(place.connect("g".repeat(64)))
                    .isInstanceOfSatisfying(
                            UnixSocket.Connection.Connected.class,
                            connected -> connected.socket().close());
            place.end(listener);
            listener.socket().close();
            assertThat(path).isEmptyDirectory();
        }
    }

    @Test
    void aStoppedHolderOfTheLockIsToldAtTheDeadlineAndCannotKeepASocketThere() {
        Path path = Joining.directory(temporary, "lockstep", "rwx------");
        Deadline soon = Deadline.after(Duration.ofMillis(100));
        try (MeetingPlace place = MeetingPlace.open(path)) {
            MeetingPlace.Listener listener = Objects.requireNonNull(place.listen("g", soon));
            Directory.Opened.Open other = (Directory.Opened.Open) Directory.open(path.toString());
            try (Descriptor holder = other.descriptor()) {
                assertThat(Directory.tryLock(holder)).isTrue();
                assertThatThrownBy(() -> place.listen("h", soon))
                        .isInstanceOf(CollectiveTimeoutException.class)
                        .hasMessageContaining("The lock of " + path + " was not free within 100 ms");
                place.end(listener);
                assertThat(path).isEmptyDirectory();
            }
            listener.socket().close();
        }
    }

    @Test
    void endingDoesNotTakeAwayWhatAnotherPutThere() throws Exception {
        Path path = Joining.directory(temporary, "lockstep", "rwx------");
        Deadline deadline = Deadline.after(Duration.ofSeconds(5));
        try (MeetingPlace place = MeetingPlace.open(path)) {
            MeetingPlace.Listener first = Objects.requireNonNull(place.listen("g", deadline));
            Files.delete(path.resolve("g.sock"));
            MeetingPlace.Listener second = Objects.requireNonNull(place.listen("g", deadline));
            place.end(first);
            first.socket().close();
            assertThat(path.resolve("g.sock")).exists();
            assertThat(place.listen("g", deadline)).isNull();
            place.removeIfDead("g", deadline);
            assertThat(path.resolve("g.sock")).exists();
            second.socket().close();
            place.removeIfDead("g", deadline);
            assertThat(path).isEmptyDirectory();
        }
    }

    private Path path(String runtime) {
        return MeetingPlace.path(Map.of("XDG_RUNTIME_DIR", runtime), temporary);
    }

    private static void assertRefused(Path path, String because) {
        assertThatThrownBy(() -> MeetingPlace.open(path).close())
                .isInstanceOf(DriverException.class)
                .hasMessageStartingWith("The directory where ranks meet, " + path + ", ")
                .hasMessageContaining(because);
    }
}
