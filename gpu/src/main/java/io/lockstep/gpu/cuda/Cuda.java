package io.lockstep.gpu.cuda;

import static io.lockstep.gpu.driver.ForeignCalls.call;

import io.lockstep.core.DriverException;
import io.lockstep.gpu.driver.ForeignCalls;
import io.lockstep.gpu.driver.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.function.LongToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The driver library of CUDA, function by function, under the symbols that it exports: those with an ending _v2 are
 * what the header's plain names stand for. {@link CudaMemory} has those for memory. Addresses and handles are longs. A
 * function that fails throws a {@link DriverException} with the driver's own name for the error.
 */
final class Cuda {
    static final NativeLibrary LIBRARY =
            NativeLibrary.open("the NVIDIA driver's libcuda", List.of("libcuda.so.1", "libcuda.so"));

    private static final MethodHandle INIT = LIBRARY.function("cuInit", 1);
    private static final MethodHandle DRIVER_GET_VERSION = LIBRARY.function("cuDriverGetVersion", 1);
    private static final MethodHandle GET_ERROR_NAME = LIBRARY.function("cuGetErrorName", 2);
    private static final MethodHandle GET_ERROR_STRING = LIBRARY.function("cuGetErrorString", 2);
    private static final MethodHandle DEVICE_GET_COUNT = LIBRARY.function("cuDeviceGetCount", 1);
    private static final MethodHandle DEVICE_GET = LIBRARY.function("cuDeviceGet", 2);
    private static final MethodHandle DEVICE_GET_NAME = LIBRARY.function("cuDeviceGetName", 3);
    private static final MethodHandle DEVICE_GET_UUID = LIBRARY.function("cuDeviceGetUuid_v2", 2);
    private static final MethodHandle DEVICE_GET_ATTRIBUTE = LIBRARY.function("cuDeviceGetAttribute", 3);
    private static final MethodHandle DEVICE_TOTAL_MEM = LIBRARY.function("cuDeviceTotalMem_v2", 2);
    private static final MethodHandle PRIMARY_CTX_RETAIN = LIBRARY.function("cuDevicePrimaryCtxRetain", 2);
    private static final MethodHandle CTX_SET_CURRENT = LIBRARY.function("cuCtxSetCurrent", 1);
    private static final MethodHandle CTX_SYNCHRONIZE = LIBRARY.function("cuCtxSynchronize", 0);
    private static final MethodHandle CAN_ACCESS_PEER = LIBRARY.function("cuDeviceCanAccessPeer", 3);
    private static final MethodHandle ENABLE_PEER_ACCESS = LIBRARY.function("cuCtxEnablePeerAccess", 2);
    private static final MethodHandle MODULE_LOAD_DATA = LIBRARY.function("cuModuleLoadData", 2);
    private static final MethodHandle MODULE_UNLOAD = LIBRARY.function("cuModuleUnload", 1);
    private static final MethodHandle MODULE_GET_FUNCTION = LIBRARY.function("cuModuleGetFunction", 3);
    private static final MethodHandle FUNC_LOAD = LIBRARY.optional("cuFuncLoad", 1);
    private static final MethodHandle FUNC_GET_ATTRIBUTE = LIBRARY.function("cuFuncGetAttribute", 3);
    private static final MethodHandle OCCUPANCY = LIBRARY.function("cuOccupancyMaxActiveBlocksPerMultiprocessor", 4);
    private static final MethodHandle LAUNCH_KERNEL_EX = LIBRARY.function("cuLaunchKernelEx", 4);
    private static final MethodHandle STREAM_CREATE = LIBRARY.function("cuStreamCreate", 2);
    private static final MethodHandle STREAM_DESTROY = LIBRARY.function("cuStreamDestroy_v2", 1);
    private static final MethodHandle STREAM_SYNCHRONIZE = LIBRARY.function("cuStreamSynchronize", 1);
    private static final MethodHandle STREAM_QUERY = LIBRARY.function("cuStreamQuery", 1);
    private static final MethodHandle STREAM_WAIT_EVENT = LIBRARY.function("cuStreamWaitEvent", 3);
    private static final MethodHandle STREAM_BEGIN_CAPTURE = LIBRARY.function("cuStreamBeginCapture_v2", 2);
    private static final MethodHandle STREAM_END_CAPTURE = LIBRARY.function("cuStreamEndCapture", 2);
    private static final MethodHandle GRAPH_INSTANTIATE = LIBRARY.function("cuGraphInstantiateWithFlags", 3);
    private static final MethodHandle GRAPH_LAUNCH = LIBRARY.function("cuGraphLaunch", 2);
    private static final MethodHandle GRAPH_EXEC_DESTROY = LIBRARY.function("cuGraphExecDestroy", 1);
    private static final MethodHandle GRAPH_DESTROY = LIBRARY.function("cuGraphDestroy", 1);
    private static final MethodHandle EVENT_CREATE = LIBRARY.function("cuEventCreate", 2);
    private static final MethodHandle EVENT_DESTROY = LIBRARY.function("cuEventDestroy_v2", 1);
    private static final MethodHandle EVENT_RECORD = LIBRARY.function("cuEventRecord", 2);
    private static final MethodHandle EVENT_ELAPSED_TIME = LIBRARY.function("cuEventElapsedTime", 3);

    // Results.
    static final int SUCCESS = 0;
    static final int ERROR_NOT_READY = 600;
    static final int ERROR_PEER_ACCESS_ALREADY_ENABLED = 704;

    // Attributes of devices.
    static final int ATTRIBUTE_WARP_SIZE = 10;
    static final int ATTRIBUTE_MULTIPROCESSORS = 16;
    static final int ATTRIBUTE_CAPABILITY_MAJOR = 75;
    static final int ATTRIBUTE_CAPABILITY_MINOR = 76;
    static final int ATTRIBUTE_VIRTUAL_MEMORY = 102;
    static final int ATTRIBUTE_POSIX_DESCRIPTORS = 103;

    private static final int STREAM_NON_BLOCKING = 1;
    private static final int CAPTURE_MODE_THREAD_LOCAL = 1;

    private Cuda() {}

    /** Why the library cannot be used, in a clause; null if it can. */
    static @Nullable String whyNot() {
        CudaMemory.link();
        return LIBRARY.whyNot();
    }

    /** The result of cuInit, unchecked. */
    static int init() {
        return call(INIT, 0);
    }

    /** As 1000 · major + 10 · minor: 13000 is CUDA 13.0. */
    static int driverVersion() {
        return (int) written("cuDriverGetVersion", at -> call(DRIVER_GET_VERSION, at));
    }

    static int deviceCount() {
        return (int) written("cuDeviceGetCount", at -> call(DEVICE_GET_COUNT, at));
    }

    static int device(int number) {
        return (int) written("cuDeviceGet of device " + number, at -> call(DEVICE_GET, at, number));
    }

    static String deviceName(int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(256);
            check(call(DEVICE_GET_NAME, name.address(), name.byteSize(), device), "cuDeviceGetName");
            return name.getString(0);
        }
    }

    static byte[] deviceUuid(int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment uuid = arena.allocate(16);
            check(call(DEVICE_GET_UUID, uuid.address(), device), "cuDeviceGetUuid_v2");
            return uuid.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    static int deviceAttribute(int device, int attribute) {
        return (int)
                written("cuDeviceGetAttribute " + attribute, at -> call(DEVICE_GET_ATTRIBUTE, at, attribute, device));
    }

    static long deviceMemory(int device) {
        return written("cuDeviceTotalMem_v2", at -> call(DEVICE_TOTAL_MEM, at, device));
    }

    static long retainPrimaryContext(int device) {
        return written("cuDevicePrimaryCtxRetain of device " + device, at -> call(PRIMARY_CTX_RETAIN, at, device));
    }

    static void setCurrent(long context) {
        int result = call(CTX_SET_CURRENT, context);
        if (result != SUCCESS) {
            check(result, "cuCtxSetCurrent");
        }
    }

    static void synchronizeContext() {
        check(call(CTX_SYNCHRONIZE), "cuCtxSynchronize");
    }

    static boolean canAccessPeer(int device, int peer) {
        return (int) written("cuDeviceCanAccessPeer", at -> call(CAN_ACCESS_PEER, at, device, peer)) != 0;
    }

    /** From the current context to another one; once is enough, and more does no harm. */
    static void enablePeerAccess(long peerContext) {
        int result = call(ENABLE_PEER_ACCESS, peerContext, 0);
        if (result != ERROR_PEER_ACCESS_ALREADY_ENABLED) {
            check(result, "cuCtxEnablePeerAccess");
        }
    }

    static long loadModule(byte[] image) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            MemorySegment bytes = arena.allocate(image.length + 1L, 64);
            MemorySegment.copy(image, 0, bytes, ValueLayout.JAVA_BYTE, 0, image.length);
            check(
                    call(MODULE_LOAD_DATA, result.address(), bytes.address()),
                    "cuModuleLoadData of " + image.length + " bytes");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void unloadModule(long module) {
        check(call(MODULE_UNLOAD, module), "cuModuleUnload");
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
                    "cuModuleGetFunction of " + name);
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /**
     * Brings a function's code onto the device now. Left to the first launch, that waits for the device, and a kernel
     * there may wait for the very launch.
     */
    static void loadFunction(long function) {
        if (LIBRARY.has("cuFuncLoad")) {
            check(call(FUNC_LOAD, function), "cuFuncLoad");
        } else {
            functionAttribute(function, 0);
        }
    }

    static int functionAttribute(long function, int attribute) {
        return (int) written("cuFuncGetAttribute", at -> call(FUNC_GET_ATTRIBUTE, at, attribute, function));
    }

    static int blocksPerMultiprocessor(long function, int threads) {
        return (int)
                written("cuOccupancyMaxActiveBlocksPerMultiprocessor", at -> call(OCCUPANCY, at, function, threads, 0));
    }

    /** Hot: allocates nothing. */
    static void launch(long config, long function, long parameters) {
        int result = call(LAUNCH_KERNEL_EX, config, function, parameters, 0);
        if (result != SUCCESS) {
            check(result, "cuLaunchKernelEx");
        }
    }

    static long createStream() {
        return written("cuStreamCreate", at -> call(STREAM_CREATE, at, STREAM_NON_BLOCKING));
    }

    static void destroyStream(long stream) {
        check(call(STREAM_DESTROY, stream), "cuStreamDestroy_v2");
    }

    static void synchronizeStream(long stream) {
        check(call(STREAM_SYNCHRONIZE, stream), "cuStreamSynchronize");
    }

    static boolean isStreamIdle(long stream) {
        int result = call(STREAM_QUERY, stream);
        if (result != ERROR_NOT_READY) {
            check(result, "cuStreamQuery");
        }
        return result == SUCCESS;
    }

    static void awaitEvent(long stream, long event) {
        check(call(STREAM_WAIT_EVENT, stream, event, 0), "cuStreamWaitEvent");
    }

    static void beginCapture(long stream) {
        check(call(STREAM_BEGIN_CAPTURE, stream, CAPTURE_MODE_THREAD_LOCAL), "cuStreamBeginCapture_v2");
    }

    /** Ends the capture and returns what can be launched. */
    static long endCapture(long stream) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(call(STREAM_END_CAPTURE, stream, result.address()), "cuStreamEndCapture");
            long graph = result.get(ValueLayout.JAVA_LONG, 0);
            int instantiated = call(GRAPH_INSTANTIATE, result.address(), graph, 0);
            check(call(GRAPH_DESTROY, graph), "cuGraphDestroy");
            check(instantiated, "cuGraphInstantiateWithFlags");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void launchGraph(long graph, long stream) {
        check(call(GRAPH_LAUNCH, graph, stream), "cuGraphLaunch");
    }

    static void destroyGraph(long graph) {
        check(call(GRAPH_EXEC_DESTROY, graph), "cuGraphExecDestroy");
    }

    static long createEvent() {
        return written("cuEventCreate", at -> call(EVENT_CREATE, at, 0));
    }

    static void destroyEvent(long event) {
        check(call(EVENT_DESTROY, event), "cuEventDestroy_v2");
    }

    static void recordEvent(long event, long stream) {
        check(call(EVENT_RECORD, event, stream), "cuEventRecord");
    }

    static float elapsedMilliseconds(long from, long to) {
        return Float.intBitsToFloat((int) written("cuEventElapsedTime", at -> call(EVENT_ELAPSED_TIME, at, from, to)));
    }

    /** The driver's name for a result and what it says about it. */
    static String describe(int result) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = ForeignCalls.result(arena);
            String name = call(GET_ERROR_NAME, result, text.address()) == SUCCESS
                    ? ForeignCalls.text(text.get(ValueLayout.JAVA_LONG, 0))
                    : "error";
            String sentence = call(GET_ERROR_STRING, result, text.address()) == SUCCESS
                    ? ForeignCalls.text(text.get(ValueLayout.JAVA_LONG, 0))
                    : "unknown to this driver";
            return name + " (" + result + ": " + sentence + ")";
        }
    }

    /** What a function writes to an address that it is given, at most 8 bytes. */
    static long written(String what, LongToIntFunction call) {
        return ForeignCalls.written(call, result -> check(result, what));
    }

    static void check(int result, String what) {
        if (result != SUCCESS) {
            throw new DriverException("CUDA: " + what + " failed with " + describe(result) + ".");
        }
    }
}
