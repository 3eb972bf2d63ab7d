package io.lockstep.core.posix;

import io.lockstep.core.Readiness;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Links the functions of one native library and remembers what is missing, so that a machine that lacks one is told so
 * by a probe and not by a class that fails to load.
 */
final class Links {
    private final String library;
    private final SymbolLookup lookup;
    private final List<String> missing = new ArrayList<>();
    private @Nullable String unusable;

    /** @param unusable why nothing can be linked here at all, or null */
    Links(String library, SymbolLookup lookup, @Nullable String unusable) {
        this.library = library;
        this.lookup = lookup;
        this.unusable = unusable;
    }

    /** The functions of the C library of this process. */
    static Links ofLibc() {
        String refused = refusal(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
        if (refused != null) {
            return new Links("libc", name -> Optional.empty(), refused);
        }
        return new Links("libc", Linker.nativeLinker().defaultLookup(), null);
    }

    /** Why this system is not supported, or null if it is. */
    static @Nullable String refusal(String system, String architecture) {
        boolean supported = system.equals("Linux") && (isX86(architecture) || architecture.equals("aarch64"));
        return supported
                ? null
                : "Ranks as processes need Linux on x86-64 or aarch64, and this is " + system + " on " + architecture
                        + ": use ranks that are threads of one JVM.";
    }

    static boolean isX86(String architecture) {
        return architecture.equals("amd64") || architecture.equals("x86_64");
    }

    /**
     * A handle for a function of so many arguments, all of them integers or addresses; it takes the segment for errno
     * first. If the function is missing, the handle throws.
     *
     * <p>Every argument and the result are declared as long, whatever they are: on both architectures an integer
     * travels in a register of 64 bits of which the function reads what it declares, in a variadic place too, and the
     * caller cuts the result to the type it has. So there are few shapes of calls in all, and each new shape costs a
     * starting JVM 15 to 30 ms.
     */
    MethodHandle function(String name, int arguments) {
        MemoryLayout[] types = new MemoryLayout[arguments];
        Arrays.fill(types, ValueLayout.JAVA_LONG);
        return link(name, FunctionDescriptor.of(ValueLayout.JAVA_LONG, types), Linker.Option.captureCallState("errno"));
    }

    /** Whether the library has this function; its lack is not counted as missing. */
    boolean has(String name) {
        return unusable == null && lookup.find(name).isPresent();
    }

    /** Whether everything that was asked for is there. */
    Readiness readiness() {
        if (unusable != null) {
            return new Readiness.NotReady(unusable);
        }
        if (!missing.isEmpty()) {
            return new Readiness.NotReady("The system's " + library + " lacks " + String.join(", ", missing)
                    + ": use a newer one, or ranks that are threads of one JVM.");
        }
        return new Readiness.Ready(library + " has every function that ranks as processes need");
    }

    @SuppressWarnings("restricted")
    private MethodHandle link(String name, FunctionDescriptor descriptor, Linker.Option option) {
        if (unusable == null) {
            Optional<MemorySegment> symbol = lookup.find(name);
            if (symbol.isPresent()) {
                try {
                    return Linker.nativeLinker().downcallHandle(symbol.get(), descriptor, option);
                } catch (IllegalCallerException e) {
                    unusable = "Native access is denied to Lockstep: start Java with"
                            + " --enable-native-access=io.lockstep.core (ALL-UNNAMED on the class path).";
                }
            } else {
                missing.add(name);
            }
        }
        MethodType type = descriptor.toMethodType().insertParameterTypes(0, MemorySegment.class);
        MethodHandle thrower = MethodHandles.throwException(type.returnType(), IllegalStateException.class)
                .bindTo(new IllegalStateException(library + " lacks " + name + ", and nobody probed for it"));
        return MethodHandles.dropArguments(thrower, 0, type.parameterList());
    }
}
