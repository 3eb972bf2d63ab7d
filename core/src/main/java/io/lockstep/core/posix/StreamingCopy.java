package io.lockstep.core.posix;

import io.lockstep.core.DriverException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A copy whose stores go past the caches, which Java has no instruction for: a few bytes of machine code in a page of
 * their own. It pays where the destination lies in the cache of a distant core, since an ordinary store must fetch each
 * line from there first.
 *
 * <pre>
 * again: vmovdqu  ymm0 … ymm3, [rsi + 0, 32, 64, 96]
 *        vmovntdq [rdi + 0, 32, 64, 96], ymm0 … ymm3
 *        rsi += 128, rdi += 128, rdx -= 128
 *        jnz again
 *        sfence                 the stores are done before any later one: a release store that follows publishes them
 *        vzeroupper
 *        ret
 * </pre>
 *
 * Whoever reads such a copy finds its lines in memory and in no cache. One after the other they take long, and a short
 * row ends before the processor has seen that they follow each other: {@link #prefetch} asks for them together.
 *
 * <pre>
 * again: prefetcht0 [rdi]
 *        rdi += 64
 *        jump to again while rdi is below rsi
 *        ret
 * </pre>
 */
public final class StreamingCopy {
    /** Whole multiples of this many bytes are copied, to a multiple of 32. */
    public static final int STEP = 128;

    private static final byte[] COPY = HexFormat.of()
            .parseHex("c5fe6f06" + "c5fe6f4e20" + "c5fe6f5640" + "c5fe6f5e60"
                    + "c5fde707" + "c5fde74f20" + "c5fde75740" + "c5fde75f60"
                    + "4883ee80" + "4883ef80" + "4883c280" + "75cc" + "0faef8" + "c5f877" + "c3");

    private static final byte[] PREFETCH = HexFormat.of().parseHex("0f180f" + "4883c740" + "4839f7" + "72f4" + "c3");

    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
    private static final long SYS_MPROTECT_X86_64 = 10;
    private static final long PAGE = 4096;
    private static final FunctionDescriptor COPY_TYPE =
            FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
    private static final FunctionDescriptor PREFETCH_TYPE =
            FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);

    // Constants, so that the compiler makes plain calls of them.
    private static final class Holder {
        static final @Nullable MethodHandle COPY = make(StreamingCopy.COPY, COPY_TYPE);
        static final @Nullable MethodHandle PREFETCH = make(StreamingCopy.PREFETCH, PREFETCH_TYPE);
    }

    private StreamingCopy() {}

    /**
     * Whether the copy can be had: not on another architecture, nor where the system forbids new code. The caller knows
     * of AVX.
     */
    public static boolean isThere() {
        return Holder.COPY != null && Holder.PREFETCH != null;
    }

    /**
     * Copies {@code bytes}, at least one step and a multiple of it, where the copy {@link #isThere}. What comes after
     * is ordered behind it.
     */
    public static void copy(long to, long from, long bytes) {
        try {
            Objects.requireNonNull(Holder.COPY).invokeExact(to, from, bytes);
        } catch (Throwable e) {
            throw new AssertionError("The streaming copy is bound wrongly.", e);
        }
    }

    /**
     * Asks for the lines of {@code bytes}, at least one, where the copy {@link #isThere}. It reads nothing: what is
     * there may be written by others meanwhile, and need not be memory.
     */
    public static void prefetch(long from, long bytes) {
        try {
            Objects.requireNonNull(Holder.PREFETCH).invokeExact(from, from + bytes);
        } catch (Throwable e) {
            throw new AssertionError("The prefetch is bound wrongly.", e);
        }
    }

    @SuppressWarnings("restricted")
    private static @Nullable MethodHandle make(byte[] code, FunctionDescriptor type) {
        if (!Links.isX86(System.getProperty("os.arch", ""))
                || !System.getProperty("os.name", "").equals("Linux")) {
            return null;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Errno.STATE);
            long page = Errno.check(
                    Libc.mmap(state, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0), "mmap of code");
            MemorySegment.copy(code, 0, RawMemory.ALL, ValueLayout.JAVA_BYTE, page, code.length);
            // Never writable and executable at once.
            Errno.check(
                    Libc.syscall(state, SYS_MPROTECT_X86_64, page, PAGE, PROT_READ | PROT_EXEC, 0, 0, 0),
                    "mprotect of code");
            return Linker.nativeLinker()
                    .downcallHandle(MemorySegment.ofAddress(page), type, Linker.Option.critical(false));
        } catch (DriverException | IllegalCallerException e) {
            System.getLogger(StreamingCopy.class.getName())
                    .log(System.Logger.Level.DEBUG, "No streaming copy, ordinary copies instead.", e);
            return null;
        }
    }
}
