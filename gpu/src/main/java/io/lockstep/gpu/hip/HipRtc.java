package io.lockstep.gpu.hip;

import static io.lockstep.gpu.driver.ForeignCalls.call;

import io.lockstep.core.DriverException;
import io.lockstep.gpu.driver.ForeignCalls;
import io.lockstep.gpu.driver.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** AMD's run-time compiler: a library of its own, or the older kind within the runtime. */
final class HipRtc {
    private static final NativeLibrary LIBRARY = NativeLibrary.open("AMD's run-time compiler hipRTC", candidates());

    private static final MethodHandle VERSION = LIBRARY.function("hiprtcVersion", 2);
    private static final MethodHandle GET_ERROR_STRING = LIBRARY.function("hiprtcGetErrorString", 1);
    private static final MethodHandle CREATE_PROGRAM = LIBRARY.function("hiprtcCreateProgram", 6);
    private static final MethodHandle DESTROY_PROGRAM = LIBRARY.function("hiprtcDestroyProgram", 1);
    private static final MethodHandle COMPILE_PROGRAM = LIBRARY.function("hiprtcCompileProgram", 3);
    private static final MethodHandle GET_CODE_SIZE = LIBRARY.function("hiprtcGetCodeSize", 2);
    private static final MethodHandle GET_CODE = LIBRARY.function("hiprtcGetCode", 2);
    private static final MethodHandle GET_LOG_SIZE = LIBRARY.function("hiprtcGetProgramLogSize", 2);
    private static final MethodHandle GET_LOG = LIBRARY.function("hiprtcGetProgramLog", 2);

    private static final int SUCCESS = 0;

    private HipRtc() {}

    private static List<String> candidates() {
        List<String> candidates = new ArrayList<>(
                List.of("libhiprtc.so.7", "libhiprtc.so.6", "libhiprtc.so.5", "/opt/rocm/lib/libhiprtc.so"));
        candidates.addAll(Hip.LIBRARIES);
        return candidates;
    }

    /** Why it cannot be used, in a clause; null if it can. */
    static @Nullable String whyNot() {
        return LIBRARY.whyNot();
    }

    /** Such as {@code hipRTC 5.2 (libamdhip64.so.5)}. */
    static String identity() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(ValueLayout.JAVA_INT, 2);
            check(call(VERSION, numbers.address(), numbers.address() + Integer.BYTES), "hiprtcVersion");
            return "hipRTC " + numbers.getAtIndex(ValueLayout.JAVA_INT, 0) + "."
                    + numbers.getAtIndex(ValueLayout.JAVA_INT, 1) + " (" + LIBRARY.path() + ")";
        }
    }

    /** Compiles to a code object. It may end this process: see {@link HipRtcProcess}. */
    static byte[] compile(String source, List<String> options) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(
                    call(
                            CREATE_PROGRAM,
                            result.address(),
                            arena.allocateFrom(source).address(),
                            arena.allocateFrom("lockstep.hip").address(),
                            0,
                            0,
                            0),
                    "hiprtcCreateProgram");
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
                    throw new DriverException("hipRTC (" + LIBRARY.path() + ") does not compile the kernels with "
                            + options + ": " + describe(compiled) + "\n" + log(program, arena));
                }
                check(call(GET_CODE_SIZE, program, result.address()), "hiprtcGetCodeSize");
                MemorySegment code = arena.allocate(Math.max(1, result.get(ValueLayout.JAVA_LONG, 0)), 16);
                check(call(GET_CODE, program, code.address()), "hiprtcGetCode");
                return code.toArray(ValueLayout.JAVA_BYTE);
            } finally {
                check(call(DESTROY_PROGRAM, handle.address()), "hiprtcDestroyProgram");
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
            throw ForeignCalls.impossible(t);
        }
    }

    private static void check(int result, String what) {
        if (result != SUCCESS) {
            throw new DriverException("hipRTC: " + what + " failed with " + describe(result) + ".");
        }
    }
}
