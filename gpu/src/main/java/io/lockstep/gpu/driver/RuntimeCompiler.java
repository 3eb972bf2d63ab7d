package io.lockstep.gpu.driver;

import static io.lockstep.gpu.driver.ForeignCalls.call;

import io.lockstep.core.DriverException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A vendor's run-time compiler, found once. NVRTC and hipRTC have the same functions under other names, so this is what
 * drives both.
 */
public final class RuntimeCompiler {
    private static final int SUCCESS = 0;

    private final String name;
    private final String prefix;
    private final String codeName;
    private final String fileName;
    private final NativeLibrary library;
    private final MethodHandle version;
    private final MethodHandle errorString;
    private final MethodHandle createProgram;
    private final MethodHandle destroyProgram;
    private final MethodHandle compileProgram;
    private final MethodHandle codeSize;
    private final MethodHandle code;
    private final MethodHandle logSize;
    private final MethodHandle log;

    /**
     * Links its functions.
     *
     * @param name for messages, such as {@code NVRTC}
     * @param prefix of its functions, such as {@code nvrtc}
     * @param codeName its word for compiled code in a function's name, such as {@code CUBIN}
     * @param fileName what it calls the source in its messages
     */
    public RuntimeCompiler(String name, String prefix, String codeName, String fileName, NativeLibrary library) {
        this.name = name;
        this.prefix = prefix;
        this.codeName = codeName;
        this.fileName = fileName;
        this.library = library;
        version = library.function(prefix + "Version", 2);
        errorString = library.function(prefix + "GetErrorString", 1);
        createProgram = library.function(prefix + "CreateProgram", 6);
        destroyProgram = library.function(prefix + "DestroyProgram", 1);
        compileProgram = library.function(prefix + "CompileProgram", 3);
        codeSize = library.function(prefix + "Get" + codeName + "Size", 2);
        code = library.function(prefix + "Get" + codeName, 2);
        logSize = library.function(prefix + "GetProgramLogSize", 2);
        log = library.function(prefix + "GetProgramLog", 2);
    }

    /** Why it cannot be used, in a clause; null if it can. */
    public @Nullable String whyNot() {
        return library.whyNot();
    }

    /** Where it was found. */
    public String path() {
        return library.path();
    }

    /** Such as {@code NVRTC 13.0}. */
    public String identity() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(ValueLayout.JAVA_INT, 2);
            check(call(version, numbers.address(), numbers.address() + Integer.BYTES), prefix + "Version");
            return name + " " + numbers.getAtIndex(ValueLayout.JAVA_INT, 0) + "."
                    + numbers.getAtIndex(ValueLayout.JAVA_INT, 1);
        }
    }

    /**
     * Compiles to code for one architecture.
     *
     * @throws DriverException if it does not compile, with what the compiler says
     */
    public byte[] compile(String source, List<String> options) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(
                    call(
                            createProgram,
                            result.address(),
                            arena.allocateFrom(source).address(),
                            arena.allocateFrom(fileName).address(),
                            0,
                            0,
                            0),
                    prefix + "CreateProgram");
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
                int compiled = call(compileProgram, program, options.size(), list.address());
                if (compiled != SUCCESS) {
                    throw new DriverException(name + " (" + library.path() + ") does not compile the kernels with "
                            + options + ": " + describe(compiled) + "\n" + log(program, arena));
                }
                check(call(codeSize, program, result.address()), prefix + "Get" + codeName + "Size");
                MemorySegment bytes = arena.allocate(Math.max(1, result.get(ValueLayout.JAVA_LONG, 0)), 16);
                check(call(code, program, bytes.address()), prefix + "Get" + codeName);
                return bytes.toArray(ValueLayout.JAVA_BYTE);
            } finally {
                check(call(destroyProgram, handle.address()), prefix + "DestroyProgram");
            }
        }
    }

    private String log(long program, Arena arena) {
        MemorySegment size = ForeignCalls.result(arena);
        if (call(logSize, program, size.address()) != SUCCESS || size.get(ValueLayout.JAVA_LONG, 0) < 2) {
            return "It said no more.";
        }
        MemorySegment text = arena.allocate(size.get(ValueLayout.JAVA_LONG, 0) + 1);
        return call(log, program, text.address()) == SUCCESS ? text.getString(0) : "It said no more.";
    }

    private String describe(int result) {
        try {
            return ForeignCalls.text((long) errorString.invokeExact((long) result));
        } catch (Throwable t) {
            throw ForeignCalls.impossible(t);
        }
    }

    private void check(int result, String what) {
        if (result != SUCCESS) {
            throw new DriverException(name + ": " + what + " failed with " + describe(result) + ".");
        }
    }
}
