package io.lockstep.core.group;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DriverException;
import io.lockstep.core.posix.Descriptor;
import io.lockstep.core.posix.Directory;
import io.lockstep.core.posix.Errno;
import io.lockstep.core.posix.PollSet;
import io.lockstep.core.posix.UnixSocket;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The directory in which the ranks of one user meet, open and checked. Everything in it is reached through its
 * descriptor, so that what was checked is what is used, and no path is too long for a socket.
 */
final class MeetingPlace implements AutoCloseable {
    private static final long LOCK_POLL_NANOS = 1_000_000;
    private static final Duration CLEANING = Duration.ofSeconds(1);
    private static final int OTHERS = 0b111_111;
    private static final int OWNER = 0b111_000_000;

    private final Path path;
    private final Descriptor directory;

    private MeetingPlace(Path path, Descriptor directory) {
        this.path = path;
        this.directory = directory;
    }

    /** A socket that listens in this place. */
    record Listener(Descriptor socket, String group, Object file) {}

    /** Where ranks with this environment meet. */
    static Path path(Map<String, String> environment, Path temporary) {
        String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        if (!runtime.isEmpty() && isOurs(Path.of(runtime))) {
            return Path.of(runtime, "lockstep");
        }
        return temporary.resolve("lockstep-" + Integer.toUnsignedString(Directory.currentUser()));
    }

    /**
     * Opens the place, making it where it is missing.
     *
     * @throws DriverException if it is not a directory, not this user's, or open to others
     */
    static MeetingPlace open(Path path) {
        try {
            Files.createDirectory(
                    path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (FileAlreadyExistsException e) {
            // Checked like any other, below.
        } catch (IOException e) {
            throw new DriverException(refused(path, "cannot be made (" + e + ")", "make it, with mode 0700"), e);
        }
        return switch (Directory.open(path.toString())) {
            case Directory.Opened.Refused refused -> {
                int errno = refused.errno();
                throw new DriverException(
                        errno == Errno.ENOTDIR || errno == Errno.ELOOP
                                ? refused(path, "is not a directory but a link or a file", "remove it")
                                : refused(path, "cannot be opened (" + Errno.name(errno) + ")", "mend or remove it"));
            }
            case Directory.Opened.Open open -> {
                MeetingPlace place = new MeetingPlace(path, open.descriptor());
                try {
                    place.check();
                } catch (DriverException e) {
                    place.close();
                    throw e;
                }
                yield place;
            }
        };
    }

    /** The path, for messages. */
    @Override
    public String toString() {
        return path.toString();
    }

    /** Connects to the rank 0 that waits for a group of this name, if there is one. */
    UnixSocket.Connection connect(String group) {
        return UnixSocket.connect(inside(group).toString());
    }

    /**
     * Listens as rank 0 of a group of this name, in the place of one that died.
     *
     * @return null if another listens; {@code connect} says who
     */
    @Nullable
    Listener listen(String group, Deadline deadline) {
        lock(deadline);
        try {
            UnixSocket.Connection found = connect(group);
            if (found instanceof UnixSocket.Connection.Connected connected) {
                connected.socket().close();
                return null;
            }
            if (found instanceof UnixSocket.Connection.Absent absent && absent.errno() == Errno.EAGAIN) {
                return null;
            }
            delete(inside(group));
            Descriptor socket = UnixSocket.listen(inside(group).toString());
            Object file = socket == null ? null : file(inside(group));
            return socket == null || file == null ? null : new Listener(socket, group, file);
        } finally {
            Directory.unlock(directory);
        }
    }

    /**
     * Takes the name of a listener away, unless another has put its own in that place. To be called while the listener
     * is open: until then the system gives the number of its file to no other.
     */
    void end(Listener listener) {
        Path path = inside(listener.group());
        Runnable delete = () -> {
            if (listener.file().equals(file(path))) {
                delete(path);
            }
        };
        try {
            locked(Deadline.after(CLEANING), delete);
        } catch (CollectiveTimeoutException e) {
            // A stopped process holds the lock. Better a small chance of a race than a socket left behind.
            delete.run();
        }
    }

    /** Removes the socket that a rank 0 left behind when it died. */
    void removeIfDead(String group, Deadline deadline) {
        locked(deadline, () -> {
            switch (connect(group)) {
                case UnixSocket.Connection.Connected live -> live.socket().close();
                case UnixSocket.Connection.Absent absent -> {
                    if (absent.errno() == Errno.ECONNREFUSED) {
                        delete(inside(group));
                    }
                }
            }
        });
    }

    @Override
    public void close() {
        directory.close();
    }

    private void check() {
        Map<String, Object> found = attributes(self());
        int owner = (Integer) found.getOrDefault("uid", -1);
        int mode = (Integer) found.getOrDefault("mode", 0);
        int user = Directory.currentUser();
        if (owner != user) {
            throw new DriverException(refused(
                    path,
                    "belongs to user " + owner + " and not to user " + user + ", as whom this rank runs",
                    "have it removed, or set XDG_RUNTIME_DIR to a directory of this user"));
        }
        if ((mode & OTHERS) != 0 || (mode & OWNER) != OWNER) {
            throw new DriverException(refused(
                    path, "has mode 0" + Integer.toOctalString(mode & 07777) + " and not 0700", "chmod 0700 " + path));
        }
    }

    private void locked(Deadline deadline, Runnable action) {
        lock(deadline);
        try {
            action.run();
        } finally {
            Directory.unlock(directory);
        }
    }

    private void lock(Deadline deadline) {
        PollSet sleep = new PollSet(0);
        while (!Directory.tryLock(directory)) {
            if (deadline.isOver()) {
                throw new CollectiveTimeoutException("The lock of " + path + " was not free within " + deadline
                        + ": a process that joins holds it and may be stopped; continue or end it.");
            }
            sleep.await(LOCK_POLL_NANOS);
        }
    }

    private Path self() {
        return Path.of("/proc/self/fd", Integer.toString(directory.number()));
    }

    private Path inside(String group) {
        return self().resolve(group + ".sock");
    }

    private static boolean isOurs(Path directory) {
        if (!directory.isAbsolute() || !Files.isReadable(directory) || !Files.isDirectory(directory)) {
            return false;
        }
        Map<String, Object> found = attributes(directory);
        return found.getOrDefault("uid", -1).equals(Directory.currentUser())
                && ((Integer) found.getOrDefault("mode", OTHERS) & OTHERS) == 0;
    }

    private static Map<String, Object> attributes(Path path) {
        try {
            return Files.readAttributes(path, "unix:uid,mode");
        } catch (IOException e) {
            throw new DriverException("The directory " + path + " cannot be examined: see that /proc is mounted.", e);
        }
    }

    /** What tells this file from another of the same name, or null if there is none. */
    private static @Nullable Object file(Path path) {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            throw new DriverException("The socket " + path.getFileName() + " cannot be examined.", e);
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new DriverException(
                    "The old socket " + path.getFileName() + " cannot be removed (" + e + "): remove it by hand.", e);
        }
    }

    private static String refused(Path path, String found, String remedy) {
        return "The directory where ranks meet, " + path + ", " + found + ": " + remedy + ".";
    }
}
