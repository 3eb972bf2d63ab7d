package io.lockstep.core.planning;

import java.nio.file.Path;

/** Where what was found or made once is kept: the folder for caches of the XDG base directories. */
public final class CacheFolder {
    private CacheFolder() {}

    /** Its path; it need not exist yet. */
    public static Path path() {
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path caches = xdg != null && xdg.startsWith("/")
                ? Path.of(xdg)
                : Path.of(System.getProperty("user.home", "."), ".cache");
        return caches.resolve("lockstep");
    }
}
