package io.lockstep.core.kernels;

import io.lockstep.core.DType;
import io.lockstep.core.DriverException;
import io.lockstep.core.UsageException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector loops at one width. Each width defines the classes of the loops anew, as hidden classes that carry the
 * width with them: one source serves every width, and the species are constants to the compiler all the same.
 */
final class Width {
    private final int bits;
    private final ConcurrentMap<Class<?>, MethodHandles.Lookup> defined = new ConcurrentHashMap<>();

    private final Set<DType> warm = EnumSet.noneOf(DType.class);

    private Width(int bits) {
        this.bits = bits;
    }

    // One holder for each, so that a width nobody asks for is never defined.
    private static final class None {
        static final Width WIDTH = new Width(Kernels.SCALAR);
    }

    private static final class W128 {
        static final Width WIDTH = new Width(128);
    }

    private static final class W256 {
        static final Width WIDTH = new Width(256);
    }

    private static final class W512 {
        static final Width WIDTH = new Width(512);
    }

    static Width of(int bits) {
        return switch (bits) {
            case Kernels.SCALAR -> None.WIDTH;
            case 128 -> W128.WIDTH;
            case 256 -> W256.WIDTH;
            case 512 -> W512.WIDTH;
            default ->
                throw new UsageException(
                        "The vector width is " + bits + " bits: expected 128, 256, 512, or 0 for scalar code.");
        };
    }

    /** The widest that this machine computes with. */
    static int preferred() {
        return Math.clamp(IntVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512);
    }

    /** For the classes of the loops: the species of the width that they were defined for. */
    static VectorSpecies<Integer> ofClassData(MethodHandles.Lookup lookup) {
        try {
            Integer bits = MethodHandles.classData(lookup, "_", Integer.class);
            return VectorSpecies.of(int.class, VectorShape.forBitSize(Objects.requireNonNull(bits)));
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Runs something for a type, if nothing was run for it yet. */
    synchronized void once(DType dtype, Runnable action) {
        if (warm.add(dtype)) {
            action.run();
        }
    }

    /** How many floats a vector holds; in scalar code, one. */
    int floats() {
        return Math.max(1, bits / Float.SIZE);
    }

    /**
     * A loop, by its name in the template. It returns how many elements it has done, from the start of the row; scalar
     * code does the rest. In scalar mode it does none.
     */
    MethodHandle loop(Class<?> template, String name, MethodType type) {
        if (bits == Kernels.SCALAR) {
            return MethodHandles.empty(type);
        }
        MethodHandles.Lookup lookup = defined.computeIfAbsent(template, this::define);
        try {
            return lookup.findStatic(lookup.lookupClass(), name, type);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private MethodHandles.Lookup define(Class<?> template) {
        String file = template.getSimpleName() + ".class";
        try (InputStream in = template.getResourceAsStream(file)) {
            byte[] bytes = Objects.requireNonNull(in, file).readAllBytes();
            return MethodHandles.lookup().defineHiddenClassWithClassData(bytes, bits, true);
        } catch (IOException | IllegalAccessException e) {
            throw new DriverException("The vector loops could not be loaded from " + file + ".", e);
        }
    }
}
