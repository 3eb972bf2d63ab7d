package io.lockstep.gpu.cuda;

import static io.lockstep.gpu.driver.ForeignCalls.call;

import io.lockstep.core.DriverException;
import io.lockstep.gpu.driver.ForeignCalls;
import io.lockstep.gpu.driver.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * NVIDIA's run-time compiler, from wherever it is installed: the file or folder that {@code LOCKSTEP_NVRTC} names,
 * {@code LD_LIBRARY_PATH}, a CUDA toolkit, the system's loader, or a Python package.
 */
final class Nvrtc {
    private static final List<String> SONAMES = List.of("libnvrtc.so.13", "libnvrtc.so.12");
    private static final NativeLibrary LIBRARY = open(System.getenv());

    private static final MethodHandle VERSION = LIBRARY.function("nvrtcVersion", 2);
    private static final MethodHandle GET_ERROR_STRING = LIBRARY.function("nvrtcGetErrorString", 1);
    private static final MethodHandle CREATE_PROGRAM = LIBRARY.function("nvrtcCreateProgram", 6);
    private static final MethodHandle DESTROY_PROGRAM = LIBRARY.function("nvrtcDestroyProgram", 1);
    private static final MethodHandle COMPILE_PROGRAM = LIBRARY.function("nvrtcCompileProgram", 3);
    private static final MethodHandle GET_CUBIN_SIZE = LIBRARY.function("nvrtcGetCUBINSize", 2);
    private static final MethodHandle GET_CUBIN = LIBRARY.function("nvrtcGetCUBIN", 2);
    private static final MethodHandle GET_LOG_SIZE = LIBRARY.function("nvrtcGetProgramLogSize", 2);
    private static final MethodHandle GET_LOG = LIBRARY.function("nvrtcGetProgramLog", 2);

    private static final int SUCCESS = 0;

    private Nvrtc() {}

    private static NativeLibrary open(Map<String, String> environment) {
        List<String> candidates = LibraryPlaces.candidates(environment, "LOCKSTEP_NVRTC", SONAMES);
        for (String candidate : candidates) {
            // It asks for its builtins by name only when it compiles: they must be there by then.
            openBuiltins(candidate);
        }
        return NativeLibrary.open("NVIDIA's run-time compiler libnvrtc", candidates);
    }

    private static void openBuiltins(String candidate) {
        Path folder = Path.of(candidate).getParent();
        if (folder == null || !Files.isRegularFile(Path.of(candidate))) {
            return;
        }
        for (Path builtins : LibraryPlaces.matching(folder, "libnvrtc-builtins.so*")) {
            NativeLibrary.open("libnvrtc-builtins", List.of(builtins.toString()));
        }
    }

    /** Why it cannot be used, in a clause; null if it can. */
    static @Nullable String whyNot() {
        return LIBRARY.whyNot();
    }

    /** Such as {@code NVRTC 13.0}. */
    static String identity() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(ValueLayout.JAVA_INT, 2);
            check(call(VERSION, numbers.address(), numbers.address() + Integer.BYTES), "nvrtcVersion");
            return "NVRTC " + numbers.getAtIndex(ValueLayout.JAVA_INT, 0) + "."
                    + numbers.getAtIndex(ValueLayout.JAVA_INT, 1);
        }
    }

    /** Where it was found. */
    static String path() {
        return LIBRARY.path();
    }

    /** Compiles to code for one architecture. */
    static byte[] compile(String source, List<String> options) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(
                    call(
                            CREATE_PROGRAM,
                            result.address(),
                            arena.allocateFrom(source).address(),
                            arena.allocateFrom("lockstep.cu").address(),
                            0,
                            0,
                            0),
                    "nvrtcCreateProgram");
            long program = result.get(ValueLayout.JAVA_LONG, 0);
            MemorySegment handle = arena.allocateFrom(ValueLayout.JAVA_LONG, program);
            try {
                MemorySegment list = arena.allocate(ValueLayout.JAVA_LONG, Math.max(1, options.size()));
                for (int i = 0; i < options.size(); i++) {
                    list.setAtIndex(
                            ValueLayout.JAVA_LONG,
                            i,
                            arena.allocateFrom(options.get(i)).address());
                }
                int compiled = call(COMPILE_PROGRAM, program, options.size(), list.address());
                if (compiled != SUCCESS) {
                    throw new DriverException("NVRTC (" + LIBRARY.path() + ") does not compile the kernels with "
                            + options + ": " + describe(compiled) + "\n" + log(program, arena));
                }
                check(call(GET_CUBIN_SIZE, program, result.address()), "nvrtcGetCUBINSize");
                MemorySegment code = arena.allocate(Math.max(1, result.get(ValueLayout.JAVA_LONG, 0)), 16);
                check(call(GET_CUBIN, program, code.address()), "nvrtcGetCUBIN");
                return code.toArray(ValueLayout.JAVA_BYTE);
            } finally {
                check(call(DESTROY_PROGRAM, handle.address()), "nvrtcDestroyProgram");
            }
        }
    }

    private static String log(long program, Arena arena) {
        MemorySegment size = ForeignCalls.result(arena);
        if (call(GET_LOG_SIZE, program, size.address()) != SUCCESS || size.get(ValueLayout.JAVA_LONG, 0) < 2) {
            return "It said no more.";
        }
        MemorySegment text = arena.allocate(size.get(ValueLayout.JAVA_LONG, 0) + 1);
        return call(GET_LOG, program, text.address()) == SUCCESS ? text.getString(0) : "It said no more.";
    }

    private static String describe(int result) {
        try {
            return ForeignCalls.text((long) GET_ERROR_STRING.invokeExact((long) result));
        } catch (Throwable t) {
            return "error " + result;
        }
    }

    private static void check(int result, String what) {
        if (result != SUCCESS) {
            throw new DriverException("NVRTC: " + what + " failed with " + describe(result) + ".");
        }
    }
}
