package io.lockstep.gpu.cuda;

import static io.lockstep.gpu.driver.ForeignCalls.call;

import io.lockstep.core.DType;
import io.lockstep.core.DriverException;
import io.lockstep.gpu.driver.Collectives;
import io.lockstep.gpu.driver.ForeignCalls;
import io.lockstep.gpu.driver.NativeLibrary;
import io.lockstep.gpu.driver.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** NVIDIA's library of collectives: libnccl, from where {@code LOCKSTEP_NCCL} says or the usual places. */
final class Nccl implements Collectives {
    private static final NativeLibrary LIBRARY = NativeLibrary.open(
            "NVIDIA's libnccl",
            LibraryPlaces.candidates(System.getenv(), "LOCKSTEP_NCCL", List.of("libnccl.so.2", "libnccl.so")));

    private static final int ID_BYTES = 128;
    private static final MemoryLayout ID = MemoryLayout.structLayout(
            MemoryLayout.sequenceLayout(ID_BYTES, ValueLayout.JAVA_BYTE).withName("internal"));

    private static final MethodHandle GET_VERSION = LIBRARY.function("ncclGetVersion", 1);
    private static final MethodHandle GET_ERROR_STRING = LIBRARY.function("ncclGetErrorString", 1);
    private static final MethodHandle GET_UNIQUE_ID = LIBRARY.function("ncclGetUniqueId", 1);
    private static final MethodHandle COMM_INIT_RANK = LIBRARY.function(
            "ncclCommInitRank",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ID, ValueLayout.JAVA_INT));
    private static final MethodHandle COMM_DESTROY = LIBRARY.function("ncclCommDestroy", 1);
    private static final MethodHandle ALL_REDUCE = LIBRARY.function(
            "ncclAllReduce",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG));

    private static final int SUCCESS = 0;
    private static final int SUM = 0;

    private final CudaDriver driver;

    Nccl(CudaDriver driver) {
        this.driver = driver;
    }

    /** Why it cannot be used, in a clause; null if it can. */
    static @Nullable String whyNot() {
        return LIBRARY.whyNot();
    }

    /** Where it was found. */
    static String path() {
        return LIBRARY.path();
    }

    @Override
    public String identity() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(call(GET_VERSION, result.address()), "ncclGetVersion");
            int version = result.get(ValueLayout.JAVA_INT, 0);
            return "NCCL " + version / 10_000 + "." + version / 100 % 100 + "." + version % 100;
        }
    }

    @Override
    public byte[] newGroup() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment id = arena.allocate(ID_BYTES);
            check(call(GET_UNIQUE_ID, id.address()), "ncclGetUniqueId");
            return id.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    @Override
    public long join(int device, byte[] group, int ranks, int rank) {
        driver.use(device);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            MemorySegment id = arena.allocate(ID_BYTES, Long.BYTES);
            MemorySegment.copy(group, 0, id, ValueLayout.JAVA_BYTE, 0, ID_BYTES);
            int code;
            try {
                code = (int) COMM_INIT_RANK.invokeExact(result.address(), ranks, id, rank);
            } catch (Throwable t) {
                throw new IllegalStateException("ncclCommInitRank is bound wrongly.", t);
            }
            check(code, "ncclCommInitRank of rank " + rank);
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    @Override
    public void allReduce(long member, long from, long to, long elements, DType dtype, Stream stream) {
        int type = switch (dtype) {
            case FP16 -> 6;
            case FP32 -> 7;
            case BF16 -> 9;
        };
        driver.use(stream.device());
        int code;
        try {
            code = (int) ALL_REDUCE.invokeExact(from, to, elements, type, SUM, member, stream.handle());
        } catch (Throwable t) {
            throw new IllegalStateException("ncclAllReduce is bound wrongly.", t);
        }
        check(code, "ncclAllReduce");
    }

    @Override
    public void leave(long member) {
        check(call(COMM_DESTROY, member), "ncclCommDestroy");
    }

    private static void check(int result, String what) {
        if (result != SUCCESS) {
            String name;
            try {
                name = ForeignCalls.text((long) GET_ERROR_STRING.invokeExact((long) result));
            } catch (Throwable t) {
                name = "error " + result;
            }
            throw new DriverException(
                    "NCCL: " + what + " failed with " + name + ": set NCCL_DEBUG=WARN to see what it says.");
        }
    }
}
