package io.lockstep.gpu.inspect;

import io.lockstep.core.UsageException;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The AMD GPUs that the kernels are compiled for. A compiler may end its process for a name that it does not know. */
public enum AmdgcnArch {
    /** MI200. */
    GFX90A("gfx90a", 64, Caches.GFX90A),
    /** MI300. */
    GFX942("gfx942", 64, Caches.GFX94),
    /** MI350. */
    GFX950("gfx950", 64, Caches.GFX94),
    /** Radeon RX 7000. */
    GFX1100("gfx1100", 32, Caches.GFX11),
    /** Radeon RX 9000. */
    GFX1201("gfx1201", 32, Caches.GFX12),
    /** MI400. */
    GFX1250("gfx1250", 32, Caches.GFX12);

    /** How the instructions say which caches they go past. */
    enum Caches {
        /** {@code glc}; a write-back of the L2, and an invalidation of L1 and of L2 each. */
        GFX90A,
        /** {@code sc0 sc1}. */
        GFX94,
        /** {@code glc}; stores go through, and there is nothing to write back. */
        GFX11,
        /** {@code scope:SCOPE_SYS}; stores have a counter of their own. */
        GFX12
    }

    /** What compilers append to a name. */
    private static final Pattern FEATURES = Pattern.compile("(:(sramecc|xnack)[+-])*");

    private final String label;
    private final int wave;
    private final Caches caches;

    AmdgcnArch(String label, int wave, Caches caches) {
        this.label = label;
        this.wave = wave;
        this.caches = caches;
    }

    /**
     * The architecture of a name such as {@code gfx942} or {@code gfx942:sramecc+:xnack-}.
     *
     * @throws UsageException if the kernels are not compiled for it
     */
    public static AmdgcnArch of(String name) {
        return find(name)
                .orElseThrow(() -> new UsageException(
                        "The kernels are not compiled for '" + name + "': expected " + names() + "."));
    }

    /** Whether the kernels are compiled for it. */
    public static boolean isKnown(String name) {
        return find(name).isPresent();
    }

    private static Optional<AmdgcnArch> find(String name) {
        return Arrays.stream(values())
                .filter(arch -> name.startsWith(arch.label)
                        && FEATURES.matcher(name.substring(arch.label.length())).matches())
                .findFirst();
    }

    /** All of them, for messages. */
    public static String names() {
        return Arrays.stream(values()).map(AmdgcnArch::label).collect(Collectors.joining(", "));
    }

    /** Such as {@code gfx942}. */
    public String label() {
        return label;
    }

    /** Threads of a wave. */
    public int wave() {
        return wave;
    }

    Caches caches() {
        return caches;
    }
}
