package io.lockstep.gpu.cuda;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where NVIDIA's libraries may be: the file or folder that a variable names, {@code LD_LIBRARY_PATH}, a CUDA toolkit,
 * the system's loader, or a Python package.
 */
final class LibraryPlaces {
    private LibraryPlaces() {}

    /** Where the library may be, the likeliest first: files that are there, then names for the system's loader. */
    static List<String> candidates(Map<String, String> environment, String variable, List<String> sonames) {
        List<String> candidates = new ArrayList<>();
        String named = environment.getOrDefault(variable, "");
        if (!named.isEmpty()) {
            if (Files.isDirectory(Path.of(named))) {
                addFrom(Path.of(named), sonames, candidates);
            } else {
                candidates.add(named);
            }
        }
        for (String folder : environment.getOrDefault("LD_LIBRARY_PATH", "").split(":", -1)) {
            if (!folder.isEmpty()) {
                addFrom(Path.of(folder), sonames, candidates);
            }
        }
        for (String toolkit : List.of("CUDA_HOME", "CUDA_PATH")) {
            String home = environment.getOrDefault(toolkit, "");
            if (!home.isEmpty()) {
                addFrom(Path.of(home, "lib64"), sonames, candidates);
            }
        }
        for (Path toolkit : matching(Path.of("/usr/local"), "cuda*")) {
            addFrom(toolkit.resolve("lib64"), sonames, candidates);
            addFrom(toolkit.resolve("targets/x86_64-linux/lib"), sonames, candidates);
            addFrom(toolkit.resolve("targets/sbsa-linux/lib"), sonames, candidates);
        }
        candidates.addAll(sonames);
        for (Path folder : pythonFolders(environment)) {
            for (Path part : matching(folder.resolve("nvidia"), "*")) {
                addFrom(part.resolve("lib"), sonames, candidates);
            }
        }
        return candidates.stream().distinct().toList();
    }

    private static List<Path> pythonFolders(Map<String, String> environment) {
        List<Path> folders = new ArrayList<>();
        List<Path> prefixes = new ArrayList<>(List.of(Path.of("/usr"), Path.of("/usr/local"), Path.of("/opt/conda")));
        for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
            String prefix = environment.getOrDefault(variable, "");
            if (!prefix.isEmpty()) {
                prefixes.addFirst(Path.of(prefix));
            }
        }
        String home = environment.getOrDefault("HOME", "");
        if (!home.isEmpty()) {
            prefixes.add(Path.of(home, ".local"));
        }
        for (Path prefix : prefixes) {
            for (Path python : matching(prefix.resolve("lib"), "python3*")) {
                folders.add(python.resolve("site-packages"));
                folders.add(python.resolve("dist-packages"));
            }
        }
        return folders;
    }

    private static void addFrom(Path folder, List<String> sonames, List<String> candidates) {
        for (String soname : sonames) {
            Path file = folder.resolve(soname);
            if (Files.isRegularFile(file)) {
                candidates.add(file.toString());
            }
        }
    }

    /** What lies in a folder under such names, in order; nothing if it cannot be read. */
    static List<Path> matching(Path folder, String glob) {
        List<Path> found = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, glob)) {
                entries.forEach(found::add);
            } catch (IOException unreadable) {
                return List.of();
            }
        }
        found.sort(null);
        return found;
    }
}
