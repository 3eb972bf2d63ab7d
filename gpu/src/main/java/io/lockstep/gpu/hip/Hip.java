package io.lockstep.gpu.hip;

import static io.lockstep.gpu.driver.ForeignCalls.call;

import io.lockstep.core.DriverException;
import io.lockstep.gpu.driver.ForeignCalls;
import io.lockstep.gpu.driver.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.function.LongToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The HIP runtime, function by function. Addresses and handles are longs. A function that fails throws a
 * {@link DriverException} with the runtime's own name for the error. The structure of a device's properties is never
 * asked for: it has changed its layout between versions.
 */
final class Hip {
    /** Newest first; a ROCm that the system's loader does not know of is looked for where it is installed. */
    static final List<String> LIBRARIES =
            List.of("libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "/opt/rocm/lib/libamdhip64.so");

    private static final NativeLibrary LIBRARY = NativeLibrary.open("AMD's HIP runtime libamdhip64", LIBRARIES);

    private static final MethodHandle INIT = LIBRARY.function("hipInit", 1);
    private static final MethodHandle RUNTIME_GET_VERSION = LIBRARY.function("hipRuntimeGetVersion", 1);
    private static final MethodHandle GET_ERROR_NAME = LIBRARY.function("hipGetErrorName", 1);
    private static final MethodHandle GET_ERROR_STRING = LIBRARY.function("hipGetErrorString", 1);
    private static final MethodHandle GET_DEVICE_COUNT = LIBRARY.function("hipGetDeviceCount", 1);
    private static final MethodHandle SET_DEVICE = LIBRARY.function("hipSetDevice", 1);
    private static final MethodHandle DEVICE_GET_NAME = LIBRARY.function("hipDeviceGetName", 3);
    private static final MethodHandle DEVICE_GET_ATTRIBUTE = LIBRARY.function("hipDeviceGetAttribute", 3);
    private static final MethodHandle DEVICE_TOTAL_MEM = LIBRARY.function("hipDeviceTotalMem", 2);
    private static final MethodHandle DEVICE_GET_PCI_BUS_ID = LIBRARY.function("hipDeviceGetPCIBusId", 3);
    private static final MethodHandle DEVICE_SYNCHRONIZE = LIBRARY.function("hipDeviceSynchronize", 0);
    private static final MethodHandle CAN_ACCESS_PEER = LIBRARY.function("hipDeviceCanAccessPeer", 3);
    private static final MethodHandle ENABLE_PEER_ACCESS = LIBRARY.function("hipDeviceEnablePeerAccess", 2);
    private static final MethodHandle MODULE_LOAD_DATA = LIBRARY.function("hipModuleLoadData", 2);
    private static final MethodHandle MODULE_UNLOAD = LIBRARY.function("hipModuleUnload", 1);
    private static final MethodHandle MODULE_GET_FUNCTION = LIBRARY.function("hipModuleGetFunction", 3);
    private static final MethodHandle OCCUPANCY =
            LIBRARY.function("hipModuleOccupancyMaxActiveBlocksPerMultiprocessor", 4);
    private static final MethodHandle LAUNCH_KERNEL = LIBRARY.function("hipModuleLaunchKernel", 11);
    private static final MethodHandle STREAM_CREATE = LIBRARY.function("hipStreamCreateWithFlags", 2);
    private static final MethodHandle STREAM_DESTROY = LIBRARY.function("hipStreamDestroy", 1);
    private static final MethodHandle STREAM_SYNCHRONIZE = LIBRARY.function("hipStreamSynchronize", 1);
    private static final MethodHandle STREAM_QUERY = LIBRARY.function("hipStreamQuery", 1);
    private static final MethodHandle STREAM_WAIT_EVENT = LIBRARY.function("hipStreamWaitEvent", 3);
    private static final MethodHandle STREAM_BEGIN_CAPTURE = LIBRARY.function("hipStreamBeginCapture", 2);
    private static final MethodHandle STREAM_END_CAPTURE = LIBRARY.function("hipStreamEndCapture", 2);
    private static final MethodHandle GRAPH_INSTANTIATE = LIBRARY.function("hipGraphInstantiate", 5);
    private static final MethodHandle GRAPH_LAUNCH = LIBRARY.function("hipGraphLaunch", 2);
    private static final MethodHandle GRAPH_EXEC_DESTROY = LIBRARY.function("hipGraphExecDestroy", 1);
    private static final MethodHandle GRAPH_DESTROY = LIBRARY.function("hipGraphDestroy", 1);
    private static final MethodHandle EVENT_CREATE = LIBRARY.function("hipEventCreate", 1);
    private static final MethodHandle EVENT_DESTROY = LIBRARY.function("hipEventDestroy", 1);
    private static final MethodHandle EVENT_RECORD = LIBRARY.function("hipEventRecord", 2);
    private static final MethodHandle EVENT_ELAPSED_TIME = LIBRARY.function("hipEventElapsedTime", 3);
    private static final MethodHandle MALLOC = LIBRARY.function("hipMalloc", 2);
    private static final MethodHandle EXT_MALLOC = LIBRARY.function("hipExtMallocWithFlags", 3);
    private static final MethodHandle FREE = LIBRARY.function("hipFree", 1);
    private static final MethodHandle HOST_MALLOC = LIBRARY.function("hipHostMalloc", 3);
    private static final MethodHandle HOST_FREE = LIBRARY.function("hipHostFree", 1);
    private static final MethodHandle HOST_GET_DEVICE_POINTER = LIBRARY.function("hipHostGetDevicePointer", 3);
    private static final MethodHandle MEMSET_D8_ASYNC = LIBRARY.function("hipMemsetD8Async", 4);
    private static final MethodHandle MEMCPY_ASYNC = LIBRARY.function("hipMemcpyAsync", 5);
    private static final MethodHandle IPC_GET_MEM_HANDLE = LIBRARY.function("hipIpcGetMemHandle", 2);
    private static final MethodHandle IPC_CLOSE_MEM_HANDLE = LIBRARY.function("hipIpcCloseMemHandle", 1);

    /** A handle for another process, which is passed by value. */
    static final StructLayout IPC_HANDLE =
            MemoryLayout.structLayout(MemoryLayout.sequenceLayout(64, ValueLayout.JAVA_BYTE));

    private static final MethodHandle IPC_OPEN_MEM_HANDLE = LIBRARY.function(
            "hipIpcOpenMemHandle",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, IPC_HANDLE, ValueLayout.JAVA_INT));

    // Results.
    static final int SUCCESS = 0;
    static final int ERROR_NOT_READY = 600;
    static final int ERROR_PEER_ACCESS_ALREADY_ENABLED = 704;

    // Attributes of devices, as they are numbered since HIP 5.
    static final int ATTRIBUTE_MULTIPROCESSORS = 63;
    static final int ATTRIBUTE_WARP_SIZE = 87;

    private static final int HOST_MALLOC_PORTABLE_MAPPED_COHERENT = 0x1 | 0x2 | 0x40000000;
    private static final int STREAM_NON_BLOCKING = 1;
    private static final int CAPTURE_MODE_THREAD_LOCAL = 1;
    private static final int COPY_TO_DEVICE = 1;
    private static final int COPY_TO_HOST = 2;
    private static final int COPY_WITHIN_DEVICES = 3;

    /** Memory that peers see as it is written: what is called fine-grained is cached by them on MI300. */
    private static final int MALLOC_UNCACHED = 3;

    /** Since HIP 6 opening memory of another process asks for this; before, for nothing. */
    private static final int FIRST_WITH_LAZY_PEER_ACCESS = 60_000_000;

    private Hip() {}

    /** Why the library cannot be used, in a clause; null if it can. */
    static @Nullable String whyNot() {
        return LIBRARY.whyNot();
    }

    /** Where it was found. */
    static String path() {
        return LIBRARY.path();
    }

    /** The result of hipInit, unchecked. */
    static int init() {
        return call(INIT, 0);
    }

    /** As 10,000,000 · major + 100,000 · minor + patch. */
    static int runtimeVersion() {
        return (int) written("hipRuntimeGetVersion", at -> call(RUNTIME_GET_VERSION, at));
    }

    /** The number of devices; none where the runtime says that there is none. */
    static int deviceCount() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            return call(GET_DEVICE_COUNT, result.address()) == SUCCESS ? result.get(ValueLayout.JAVA_INT, 0) : 0;
        }
    }

    static void setDevice(int device) {
        int result = call(SET_DEVICE, device);
        if (result != SUCCESS) {
            check(result, "hipSetDevice of device " + device);
        }
    }

    static String deviceName(int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(256);
            check(call(DEVICE_GET_NAME, name.address(), name.byteSize(), device), "hipDeviceGetName");
            return name.getString(0);
        }
    }

    /** Such as {@code 0000:c1:00.0}. */
    static String devicePciBusId(int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(64);
            check(call(DEVICE_GET_PCI_BUS_ID, name.address(), name.byteSize(), device), "hipDeviceGetPCIBusId");
            return name.getString(0);
        }
    }

    static int deviceAttribute(int device, int attribute) {
        return (int)
                written("hipDeviceGetAttribute " + attribute, at -> call(DEVICE_GET_ATTRIBUTE, at, attribute, device));
    }

    static long deviceMemory(int device) {
        return written("hipDeviceTotalMem", at -> call(DEVICE_TOTAL_MEM, at, device));
    }

    static void synchronizeDevice() {
        check(call(DEVICE_SYNCHRONIZE), "hipDeviceSynchronize");
    }

    static boolean canAccessPeer(int device, int peer) {
        return (int) written("hipDeviceCanAccessPeer", at -> call(CAN_ACCESS_PEER, at, device, peer)) != 0;
    }

    /** From the current device to another one; once is enough, and more does no harm. */
    static void enablePeerAccess(int peer) {
        int result = call(ENABLE_PEER_ACCESS, peer, 0);
        if (result != ERROR_PEER_ACCESS_ALREADY_ENABLED) {
            check(result, "hipDeviceEnablePeerAccess");
        }
    }

    static long loadModule(byte[] image) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            MemorySegment bytes = arena.allocate(image.length, 4096);
            MemorySegment.copy(image, 0, bytes, ValueLayout.JAVA_BYTE, 0, image.length);
            check(
                    call(MODULE_LOAD_DATA, result.address(), bytes.address()),
                    "hipModuleLoadData of " + image.length + " bytes");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void unloadModule(long module) {
        check(call(MODULE_UNLOAD, module), "hipModuleUnload");
    }

    static long function(long module, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(
                    call(
                            MODULE_GET_FUNCTION,
                            result.address(),
                            module,
                            arena.allocateFrom(name).address()),
                    "hipModuleGetFunction of " + name);
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static int blocksPerMultiprocessor(long function, int threads) {
        return (int) written(
                "hipModuleOccupancyMaxActiveBlocksPerMultiprocessor", at -> call(OCCUPANCY, at, function, threads, 0));
    }

    /** Hot: allocates nothing. */
    static void launch(long function, int blocks, int threads, long stream, long parameters) {
        int result;
        try {
            result = (int) (long) LAUNCH_KERNEL.invokeExact(
                    function, (long) blocks, 1L, 1L, (long) threads, 1L, 1L, 0L, stream, parameters, 0L);
        } catch (Throwable t) {
            throw ForeignCalls.impossible(t);
        }
        if (result != SUCCESS) {
            check(result, "hipModuleLaunchKernel");
        }
    }

    static long createStream() {
        return written("hipStreamCreateWithFlags", at -> call(STREAM_CREATE, at, STREAM_NON_BLOCKING));
    }

    static void destroyStream(long stream) {
        check(call(STREAM_DESTROY, stream), "hipStreamDestroy");
    }

    static void synchronizeStream(long stream) {
        check(call(STREAM_SYNCHRONIZE, stream), "hipStreamSynchronize");
    }

    static boolean isStreamIdle(long stream) {
        int result = call(STREAM_QUERY, stream);
        if (result != ERROR_NOT_READY) {
            check(result, "hipStreamQuery");
        }
        return result == SUCCESS;
    }

    static void awaitEvent(long stream, long event) {
        check(call(STREAM_WAIT_EVENT, stream, event, 0), "hipStreamWaitEvent");
    }

    static void beginCapture(long stream) {
        check(call(STREAM_BEGIN_CAPTURE, stream, CAPTURE_MODE_THREAD_LOCAL), "hipStreamBeginCapture");
    }

    /** Ends the capture and returns what can be launched. */
    static long endCapture(long stream) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(call(STREAM_END_CAPTURE, stream, result.address()), "hipStreamEndCapture");
            long graph = result.get(ValueLayout.JAVA_LONG, 0);
            int instantiated = call(GRAPH_INSTANTIATE, result.address(), graph, 0, 0, 0);
            check(call(GRAPH_DESTROY, graph), "hipGraphDestroy");
            check(instantiated, "hipGraphInstantiate");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void launchGraph(long graph, long stream) {
        check(call(GRAPH_LAUNCH, graph, stream), "hipGraphLaunch");
    }

    static void destroyGraph(long graph) {
        check(call(GRAPH_EXEC_DESTROY, graph), "hipGraphExecDestroy");
    }

    static long createEvent() {
        return written("hipEventCreate", at -> call(EVENT_CREATE, at));
    }

    static void destroyEvent(long event) {
        check(call(EVENT_DESTROY, event), "hipEventDestroy");
    }

    static void recordEvent(long event, long stream) {
        check(call(EVENT_RECORD, event, stream), "hipEventRecord");
    }

    static float elapsedMilliseconds(long from, long to) {
        return Float.intBitsToFloat((int) written("hipEventElapsedTime", at -> call(EVENT_ELAPSED_TIME, at, from, to)));
    }

    static long allocate(long bytes) {
        return written("hipMalloc of " + bytes + " bytes", at -> call(MALLOC, at, bytes));
    }

    /** Memory of the current device that no other device caches. */
    static long allocateUncached(long bytes) {
        return written(
                "hipExtMallocWithFlags of " + bytes + " uncached bytes",
                at -> call(EXT_MALLOC, at, bytes, MALLOC_UNCACHED));
    }

    static void free(long address) {
        check(call(FREE, address), "hipFree");
    }

    static long allocateHost(long bytes) {
        return written(
                "hipHostMalloc of " + bytes + " bytes",
                at -> call(HOST_MALLOC, at, bytes, HOST_MALLOC_PORTABLE_MAPPED_COHERENT));
    }

    static void freeHost(long address) {
        check(call(HOST_FREE, address), "hipHostFree");
    }

    static long devicePointer(long host) {
        return written("hipHostGetDevicePointer", at -> call(HOST_GET_DEVICE_POINTER, at, host, 0));
    }

    static void fill(long stream, long address, byte value, long bytes) {
        check(call(MEMSET_D8_ASYNC, address, value & 0xFF, bytes, stream), "hipMemsetD8Async");
    }

    static void copyToDevice(long stream, long to, long from, long bytes) {
        check(call(MEMCPY_ASYNC, to, from, bytes, COPY_TO_DEVICE, stream), "hipMemcpyAsync to the device");
    }

    static void copyToHost(long stream, long to, long from, long bytes) {
        check(call(MEMCPY_ASYNC, to, from, bytes, COPY_TO_HOST, stream), "hipMemcpyAsync to the host");
    }

    static void copy(long stream, long to, long from, long bytes) {
        check(call(MEMCPY_ASYNC, to, from, bytes, COPY_WITHIN_DEVICES, stream), "hipMemcpyAsync between devices");
    }

    /** Writes the handle by which another process opens the memory. */
    static void exportMemory(long address, MemorySegment handle) {
        check(call(IPC_GET_MEM_HANDLE, handle.address(), address), "hipIpcGetMemHandle");
    }

    /** Opens memory of another process for the current device. */
    static long importMemory(MemorySegment handle) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            int flags = runtimeVersion() >= FIRST_WITH_LAZY_PEER_ACCESS ? 1 : 0;
            int opened;
            try {
                opened = (int) IPC_OPEN_MEM_HANDLE.invokeExact(result.address(), handle, flags);
            } catch (Throwable t) {
                throw ForeignCalls.impossible(t);
            }
            check(opened, "hipIpcOpenMemHandle");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void closeImported(long address) {
        check(call(IPC_CLOSE_MEM_HANDLE, address), "hipIpcCloseMemHandle");
    }

    /** The runtime's name for a result and what it says about it. */
    static String describe(int result) {
        String name = text(GET_ERROR_NAME, result);
        String words = text(GET_ERROR_STRING, result);
        // The older ones have no other words than the name.
        return name + " (" + result + (words.isEmpty() || words.equals(name) ? "" : ": " + words) + ")";
    }

    private static String text(MethodHandle function, int result) {
        try {
            return ForeignCalls.text((long) function.invokeExact((long) result));
        } catch (Throwable t) {
            throw ForeignCalls.impossible(t);
        }
    }

    /** What a function writes to an address that it is given, at most 8 bytes. */
    private static long written(String what, LongToIntFunction call) {
        return ForeignCalls.written(call, result -> check(result, what));
    }

    private static void check(int result, String what) {
        if (result != SUCCESS) {
            throw new DriverException("HIP: " + what + " failed with " + describe(result) + ".");
        }
    }
}
