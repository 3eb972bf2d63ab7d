package io.lockstep.core.group;

import io.lockstep.core.DriverException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much memory there is to share, by all that limits it. Asked before memory is committed, since a process that goes
 * beyond the limit of its control group is not refused but killed.
 *
 * @param proc where the kernel shows its state, {@code /proc} but in tests
 */
record MachineMemory(Path proc) {
    private static final Pattern MOUNT = Pattern.compile("\\S+ \\S+ \\S+ (\\S+) (\\S+) \\S+ .*?- (\\S+) \\S+ (\\S+)");
    private static final long UNLIMITED = Long.MAX_VALUE;

    /** One limit: how much it leaves, and what it is. */
    private record Limit(long available, String name, String remedy) {}

    static MachineMemory ofThisMachine() {
        return new MachineMemory(Path.of("/proc"));
    }

    /**
     * Does nothing if so much memory is there.
     *
     * @throws DriverException otherwise
     */
    void require(long bytes, String what) {
        Limit tightest = limits().stream()
                .min(Comparator.comparingLong(Limit::available))
                .orElseThrow();
        if (bytes > tightest.available()) {
            throw new DriverException(what + " needs " + mebibytes(bytes) + ", and " + tightest.name() + " leaves "
                    + mebibytes(tightest.available()) + ": " + tightest.remedy() + ".");
        }
    }

    /**
     * Does nothing if the memory may become this large.
     *
     * @throws DriverException otherwise
     */
    void requireSize(long bytes) {
        long most = read(proc.resolve("self/limits")).stream()
                .filter(line -> line.startsWith("Max file size"))
                .map(line -> number(line.replaceFirst("^Max file size\\s+(\\S+).*", "$1")))
                .findFirst()
                .orElse(UNLIMITED);
        if (bytes > most) {
            // Going on would not fail but end the process: SIGXFSZ.
            throw new DriverException("Shared memory of " + mebibytes(bytes) + " is needed, and the limit on the size"
                    + " of files is " + mebibytes(most) + ": raise it (ulimit -f), or plan fewer tokens.");
        }
    }

    private List<Limit> limits() {
        List<Limit> limits = new ArrayList<>();
        read(proc.resolve("meminfo")).stream()
                .filter(line -> line.startsWith("MemAvailable:"))
                .map(line -> number(line.replaceAll("\\D", "")) * 1024)
                .map(bytes -> new Limit(bytes, "the machine", "free memory, or plan fewer tokens"))
                .forEach(limits::add);
        for (String line : read(proc.resolve("self/mountinfo"))) {
            Matcher mount = MOUNT.matcher(line);
            if (mount.matches() && mount.group(3).startsWith("cgroup")) {
                boolean unified = mount.group(3).equals("cgroup2");
                boolean memory = List.of(mount.group(4).split(",")).contains("memory");
                if (unified || memory) {
                    addGroups(limits, unified, mount.group(1), Path.of(mount.group(2)));
                }
            }
        }
        limits.add(new Limit(UNLIMITED, "the machine", ""));
        return limits;
    }

    /** Adds the limit of this process's control group and of every one around it. */
    private void addGroups(List<Limit> limits, boolean unified, String root, Path mount) {
        for (String line : read(proc.resolve("self/cgroup"))) {
            String[] parts = line.split(":", 3);
            boolean ours = parts.length == 3
                    && (unified
                            ? parts[0].equals("0")
                            : List.of(parts[1].split(",")).contains("memory"));
            if (!ours) {
                continue;
            }
            // Inside a container the mount begins at the container's own group.
            String path = root.length() > 1 && parts[2].startsWith(root) ? parts[2].substring(root.length()) : parts[2];
            Path group = mount.resolve(path.replaceFirst("^/+", "")).normalize();
            // From within a namespace, groups outside it begin with "..".
            for (Path at = group.startsWith(mount) ? group : mount;
                    at != null && at.startsWith(mount);
                    at = at.getParent()) {
                long limit = only(at.resolve(unified ? "memory.max" : "memory.limit_in_bytes"));
                if (limit < UNLIMITED) {
                    long usage = only(at.resolve(unified ? "memory.current" : "memory.usage_in_bytes"));
                    long cache =
                            reclaimable(at.resolve("memory.stat"), unified ? "inactive_file" : "total_inactive_file");
                    limits.add(new Limit(
                            Math.max(0, limit - Math.max(0, usage - cache)),
                            "the memory limit of the control group (" + mebibytes(limit) + ")",
                            "raise it (for a container: --memory), or plan fewer tokens"));
                }
            }
        }
    }

    private static long reclaimable(Path stat, String key) {
        return read(stat).stream()
                .filter(line -> line.startsWith(key + " "))
                .mapToLong(line -> number(line.substring(key.length() + 1)))
                .findFirst()
                .orElse(0);
    }

    private static long only(Path file) {
        List<String> lines = read(file);
        return lines.isEmpty() ? UNLIMITED : number(lines.getFirst().strip());
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException notANumber) {
            // "max" and "unlimited", and what is larger than a long.
            return UNLIMITED;
        }
    }

    /** The lines of a file, none if it cannot be read: a limit that is not shown does not bind. */
    private static List<String> read(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException unreadable) {
            return List.of();
        }
    }

    static String mebibytes(long bytes) {
        return bytes < 1 << 20 ? bytes + " bytes" : String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20));
    }
}
