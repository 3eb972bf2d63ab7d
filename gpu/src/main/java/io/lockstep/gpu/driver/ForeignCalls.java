package io.lockstep.gpu.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.function.IntConsumer;
import java.util.function.LongToIntFunction;

/** Calls of {@link NativeLibrary#function} handles. With a constant handle they cost what the call itself costs. */
public final class ForeignCalls {
    private ForeignCalls() {}

    public static int call(MethodHandle function) {
        try {
            return (int) (long) function.invokeExact();
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    public static int call(MethodHandle function, long a) {
        try {
            return (int) (long) function.invokeExact(a);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    public static int call(MethodHandle function, long a, long b) {
        try {
            return (int) (long) function.invokeExact(a, b);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    public static int call(MethodHandle function, long a, long b, long c) {
        try {
            return (int) (long) function.invokeExact(a, b, c);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    public static int call(MethodHandle function, long a, long b, long c, long d) {
        try {
            return (int) (long) function.invokeExact(a, b, c, d);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    public static int call(MethodHandle function, long a, long b, long c, long d, long e) {
        try {
            return (int) (long) function.invokeExact(a, b, c, d, e);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    public static int call(MethodHandle function, long a, long b, long c, long d, long e, long f) {
        try {
            return (int) (long) function.invokeExact(a, b, c, d, e, f);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /** A text that a library handed out, up to its zero; at most 64 KiB of it. */
    @SuppressWarnings("restricted")
    public static String text(long address) {
        return address == 0
                ? ""
                : MemorySegment.ofAddress(address).reinterpret(64 * 1024).getString(0);
    }

    /** Memory that a library handed out. */
    @SuppressWarnings("restricted")
    public static MemorySegment memory(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    /** Room for one result of 8 bytes. */
    public static MemorySegment result(Arena arena) {
        return arena.allocate(ValueLayout.JAVA_LONG);
    }

    /**
     * What a function writes to an address that it is given, at most 8 bytes.
     *
     * @param call with the address
     * @param check of the number that the function returns, which throws if it failed
     */
    public static long written(LongToIntFunction call, IntConsumer check) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = result(arena);
            check.accept(call.applyAsInt(result.address()));
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** What a caught failure of a native call is thrown on as: such a call throws nothing itself. */
    public static RuntimeException impossible(Throwable t) {
        if (t instanceof RuntimeException runtime) {
            return runtime;
        }
        if (t instanceof Error error) {
            throw error;
        }
        return new IllegalStateException("A native function is bound wrongly.", t);
    }
}
