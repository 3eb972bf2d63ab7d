package io.lockstep.gpu.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A native library that may be absent: opened once, for the life of the process, and asked for functions. What is
 * missing is remembered, so that a probe can say so.
 */
public final class NativeLibrary {
    private final String name;
    private final @Nullable SymbolLookup lookup;
    private final String path;
    private final List<String> missing = new ArrayList<>();
    private @Nullable String unusable;

    private NativeLibrary(String name, @Nullable SymbolLookup lookup, String path, @Nullable String unusable) {
        this.name = name;
        this.lookup = lookup;
        this.path = path;
        this.unusable = unusable;
    }

    /**
     * Opens the first of these that is there.
     *
     * @param name for messages
     * @param candidates paths, or names that the system's loader looks for
     */
    @SuppressWarnings("restricted")
    public static NativeLibrary open(String name, List<String> candidates) {
        for (String candidate : candidates) {
            try {
                return new NativeLibrary(name, SymbolLookup.libraryLookup(candidate, Arena.global()), candidate, null);
            } catch (IllegalArgumentException absent) {
                // The next one may be there.
            } catch (IllegalCallerException e) {
                return new NativeLibrary(
                        name,
                        null,
                        "",
                        "native access is denied to Lockstep: start Java with --enable-native-access=io.lockstep.gpu"
                                + " (ALL-UNNAMED on the class path)");
            }
        }
        return new NativeLibrary(name, null, "", name + " was not found (looked for " + shortList(candidates) + ")");
    }

    private static String shortList(List<String> candidates) {
        return candidates.isEmpty()
                ? "it in no place"
                : String.join(", ", candidates.subList(0, Math.min(4, candidates.size())))
                        + (candidates.size() > 4 ? " and " + (candidates.size() - 4) + " more places" : "");
    }

    /** Whether the library itself was found. */
    public boolean isOpen() {
        return unusable == null;
    }

    /** Where it was found. */
    public String path() {
        return path;
    }

    /** Why it cannot be used, in a clause; null if it can. */
    public @Nullable String whyNot() {
        if (unusable != null) {
            return unusable;
        }
        return missing.isEmpty() ? null : name + " (" + path + ") lacks " + String.join(", ", missing);
    }

    /** Whether it has this function; its lack is not counted as missing. */
    public boolean has(String symbol) {
        return lookup != null && lookup.find(symbol).isPresent();
    }

    /**
     * A handle for a function of so many arguments, all of them integers or addresses, that takes and returns longs. On
     * x86-64 and aarch64 an integer travels in a register of 64 bits of which the function reads what it declares; the
     * caller cuts the result to the type that it has. If the function is missing, the handle throws.
     */
    public MethodHandle function(String symbol, int arguments) {
        MemoryLayout[] types = new MemoryLayout[arguments];
        Arrays.fill(types, ValueLayout.JAVA_LONG);
        return function(symbol, FunctionDescriptor.of(ValueLayout.JAVA_LONG, types));
    }

    /** As {@link #function(String, int)}, for a function that may be missing where it is not used. */
    public MethodHandle optional(String symbol, int arguments) {
        return has(symbol) ? function(symbol, arguments) : thrower(symbol, arguments);
    }

    /** A handle for a function of this type. */
    @SuppressWarnings("restricted")
    public MethodHandle function(String symbol, FunctionDescriptor type) {
        Optional<MemorySegment> address = lookup == null ? Optional.empty() : lookup.find(symbol);
        if (address.isPresent()) {
            return Linker.nativeLinker().downcallHandle(address.get(), type);
        }
        if (lookup != null) {
            missing.add(symbol);
        }
        MethodHandle thrower = MethodHandles.throwException(
                        type.toMethodType().returnType(), IllegalStateException.class)
                .bindTo(absence(symbol));
        return MethodHandles.dropArguments(thrower, 0, type.toMethodType().parameterList());
    }

    private MethodHandle thrower(String symbol, int arguments) {
        MethodHandle thrower = MethodHandles.throwException(long.class, IllegalStateException.class)
                .bindTo(absence(symbol));
        Class<?>[] types = new Class<?>[arguments];
        Arrays.fill(types, long.class);
        return MethodHandles.dropArguments(thrower, 0, types);
    }

    private IllegalStateException absence(String symbol) {
        return new IllegalStateException(name + " lacks " + symbol + ", and nobody asked before.");
    }
}
