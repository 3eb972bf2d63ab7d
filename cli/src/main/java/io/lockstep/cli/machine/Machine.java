package io.lockstep.cli.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** What this machine has. On systems without /proc much of it is unknown. */
public final class Machine {
    private static final Path MEMORY = Path.of("/proc/meminfo");
    private static final Path LOAD = Path.of("/proc/loadavg");
    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
    private static final Path GROUP_LIMIT = Path.of("/sys/fs/cgroup/memory.max");
    private static final Path GROUP_USED = Path.of("/sys/fs/cgroup/memory.current");
    private static final double MIB = 1 << 20;
    private static final double GIB = 1 << 30;

    private Machine() {}

    /** The cores that this process may use. */
    public static int cores() {
        return Runtime.getRuntime().availableProcessors();
    }

    /** How many threads want to run, over the last minute; empty where it is not told. */
    public static OptionalDouble load() {
        return lines(LOAD)
                .mapToDouble(line -> Double.parseDouble(line.substring(0, line.indexOf(' '))))
                .findFirst();
    }

    /** The processor's name, or its architecture. */
    public static String processor() {
        return lines(PROCESSORS)
                .filter(line -> line.startsWith("model name"))
                .findFirst()
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .orElse(System.getProperty("os.arch"));
    }

    /** The operating system. */
    public static String system() {
        return System.getProperty("os.name") + " " + System.getProperty("os.version") + " ("
                + System.getProperty("os.arch") + ")";
    }

    /** The Java that runs this. */
    public static String java() {
        return System.getProperty("java.vm.name") + " " + Runtime.version();
    }

    /** All memory, in bytes. */
    public static OptionalLong memoryTotal() {
        return meminfo("MemTotal:");
    }

    /** The memory that can still be used, in bytes: the machine's, or what the container is allowed. */
    public static OptionalLong memoryAvailable() {
        OptionalLong machine = meminfo("MemAvailable:");
        OptionalLong limit = number(GROUP_LIMIT);
        OptionalLong used = number(GROUP_USED);
        if (limit.isEmpty() || used.isEmpty()) {
            return machine;
        }
        long group = Math.max(0, limit.getAsLong() - used.getAsLong());
        return OptionalLong.of(machine.isPresent() ? Math.min(machine.getAsLong(), group) : group);
    }

    /** Bytes as people read them. */
    public static String bytes(long bytes) {
        if (bytes < 1 << 10) {
            return bytes + " B";
        }
        if (bytes < 1 << 20) {
            return String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0);
        }
        return bytes < 1 << 30
                ? String.format(Locale.ROOT, "%.1f MiB", bytes / MIB)
                : String.format(Locale.ROOT, "%.1f GiB", bytes / GIB);
    }

    private static OptionalLong meminfo(String field) {
        return lines(MEMORY)
                .filter(line -> line.startsWith(field))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
                .findFirst();
    }

    private static OptionalLong number(Path file) {
        return lines(file)
                .filter(line -> line.matches("[0-9]{1,18}"))
                .mapToLong(Long::parseLong)
                .findFirst();
    }

    private static Stream<String> lines(Path file) {
        try {
            return Files.isReadable(file) ? Files.readAllLines(file).stream() : Stream.of();
        } catch (IOException unreadable) {
            return List.<String>of().stream();
        }
    }
}
