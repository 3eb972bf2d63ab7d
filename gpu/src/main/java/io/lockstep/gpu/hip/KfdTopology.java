package io.lockstep.gpu.hip;

import io.lockstep.core.DriverException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the kernel's driver for AMD GPUs says about them in {@code /sys/class/kfd}. */
final class KfdTopology {
    private static final Path NODES = Path.of("/sys/class/kfd/kfd/topology/nodes");

    private KfdTopology() {}

    /**
     * The architecture of the device on a PCI bus, such as {@code gfx942}.
     *
     * @param bus as HIP writes it: {@code 0000:c1:00.0}
     */
    static String architecture(String bus) {
        return architecture(NODES, bus);
    }

    static String architecture(Path nodes, String bus) {
        String[] parts = bus.split("[:.]", -1);
        if (parts.length != 4) {
            throw new DriverException("HIP: '" + bus + "' is no place on a PCI bus: expected one like 0000:c1:00.0.");
        }
        long domain = Long.parseLong(parts[0], 16);
        long location = Long.parseLong(parts[1], 16) << 8 | Long.parseLong(parts[2], 16) << 3;
        int hidden = 0;
        try (DirectoryStream<Path> all = Files.newDirectoryStream(nodes)) {
            for (Path node : all) {
                Map<String, Long> properties = properties(node.resolve("properties"));
                hidden += properties.isEmpty() ? 1 : 0;
                // Partitions of one device differ in the function, the lowest three bits, and in nothing that counts
                // here.
                boolean found = properties.getOrDefault("gfx_target_version", 0L) != 0
                        && properties.getOrDefault("domain", 0L) == domain
                        && (properties.getOrDefault("location_id", -1L) & ~7L) == location;
                if (found) {
                    return name(properties.getOrDefault("gfx_target_version", 0L));
                }
            }
        } catch (IOException e) {
            throw new DriverException(
                    "HIP: the architecture of the device at " + bus + " cannot be read from " + nodes + ": "
                            + e.getMessage() + ".",
                    e);
        }
        throw new DriverException("HIP: " + nodes + " has no device at " + bus
                + (hidden == 0 ? "." : "; of " + hidden + " others the properties may not be read."));
    }

    /** 90402 is gfx942, and 90010 is gfx90a. */
    static String name(long version) {
        return "gfx" + version / 10_000 + Long.toHexString(version / 100 % 100) + Long.toHexString(version % 100);
    }

    /** Nothing where they may not be read, as those of devices that a container has not been given. */
    private static Map<String, Long> properties(Path file) {
        Map<String, Long> properties = new HashMap<>();
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            return properties;
        }
        for (String line : lines) {
            String[] words = line.strip().split("\\s+", -1);
            if (words.length == 2 && words[1].matches("\\d{1,18}")) {
                properties.put(words[0], Long.parseLong(words[1]));
            }
        }
        return properties;
    }
}
