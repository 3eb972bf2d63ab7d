package io.lockstep.core;

import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** The backends on the module path. */
public final class Backends {
    private Backends() {}

    /** All of them, ready or not. */
    public static List<Backend> all() {
        return ServiceLoader.load(Backend.class, Backend.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get)
                .toList();
    }

    /**
     * The backend with this name.
     *
     * @throws UsageException if there is none
     * @throws DriverException if it is not ready; it says why
     */
    public static Backend named(String name) {
        List<Backend> all = all();
        Backend backend = all.stream()
                .filter(candidate -> candidate.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new UsageException("Unknown backend '" + name + "': found "
                        + all.stream().map(Backend::name).collect(Collectors.joining(", ")) + "."));
        if (backend.probe() instanceof Readiness.NotReady notReady) {
            throw new DriverException("The backend '" + name + "' cannot be used here: " + notReady.reason());
        }
        return backend;
    }
}
