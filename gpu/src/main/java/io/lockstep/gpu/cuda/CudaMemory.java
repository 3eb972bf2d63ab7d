package io.lockstep.gpu.cuda;

import static io.lockstep.gpu.cuda.Cuda.LIBRARY;
import static io.lockstep.gpu.cuda.Cuda.check;
import static io.lockstep.gpu.driver.ForeignCalls.call;

import io.lockstep.gpu.driver.ForeignCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The functions of CUDA's driver library that are about memory: its room, its content, and its sharing. */
final class CudaMemory {
    private static final MethodHandle MEM_ALLOC = LIBRARY.function("cuMemAlloc_v2", 2);
    private static final MethodHandle MEM_FREE = LIBRARY.function("cuMemFree_v2", 1);
    private static final MethodHandle MEM_ALLOC_ASYNC = LIBRARY.function("cuMemAllocAsync", 3);
    private static final MethodHandle MEM_FREE_ASYNC = LIBRARY.function("cuMemFreeAsync", 2);
    private static final MethodHandle MEM_HOST_ALLOC = LIBRARY.function("cuMemHostAlloc", 3);
    private static final MethodHandle MEM_FREE_HOST = LIBRARY.function("cuMemFreeHost", 1);
    private static final MethodHandle MEM_HOST_GET_DEVICE_POINTER = LIBRARY.function("cuMemHostGetDevicePointer_v2", 3);
    private static final MethodHandle MEMSET_D8_ASYNC = LIBRARY.function("cuMemsetD8Async", 4);
    private static final MethodHandle MEMCPY_HTOD_ASYNC = LIBRARY.function("cuMemcpyHtoDAsync_v2", 4);
    private static final MethodHandle MEMCPY_DTOH_ASYNC = LIBRARY.function("cuMemcpyDtoHAsync_v2", 4);
    private static final MethodHandle MEMCPY_DTOD_ASYNC = LIBRARY.function("cuMemcpyDtoDAsync_v2", 4);
    private static final MethodHandle MEM_GET_GRANULARITY = LIBRARY.function("cuMemGetAllocationGranularity", 3);
    private static final MethodHandle MEM_CREATE = LIBRARY.function("cuMemCreate", 4);
    private static final MethodHandle MEM_RELEASE = LIBRARY.function("cuMemRelease", 1);
    private static final MethodHandle MEM_EXPORT = LIBRARY.function("cuMemExportToShareableHandle", 4);
    private static final MethodHandle MEM_IMPORT = LIBRARY.function("cuMemImportFromShareableHandle", 3);
    private static final MethodHandle MEM_ADDRESS_RESERVE = LIBRARY.function("cuMemAddressReserve", 5);
    private static final MethodHandle MEM_ADDRESS_FREE = LIBRARY.function("cuMemAddressFree", 2);
    private static final MethodHandle MEM_MAP = LIBRARY.function("cuMemMap", 5);
    private static final MethodHandle MEM_SET_ACCESS = LIBRARY.function("cuMemSetAccess", 4);
    private static final MethodHandle MEM_UNMAP = LIBRARY.function("cuMemUnmap", 2);

    /** CUipcMemHandle, which functions take by value. */
    static final MemoryLayout IPC_HANDLE = MemoryLayout.structLayout(
            MemoryLayout.sequenceLayout(64, ValueLayout.JAVA_BYTE).withName("reserved"));

    private static final MethodHandle IPC_GET_MEM_HANDLE = LIBRARY.function("cuIpcGetMemHandle", 2);
    private static final MethodHandle IPC_OPEN_MEM_HANDLE = LIBRARY.function(
            "cuIpcOpenMemHandle_v2",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, IPC_HANDLE, ValueLayout.JAVA_INT));
    private static final MethodHandle IPC_CLOSE_MEM_HANDLE = LIBRARY.function("cuIpcCloseMemHandle", 1);

    private static final int HOST_ALLOC_PORTABLE_MAPPED = 0x01 | 0x02;
    private static final int HANDLE_TYPE_POSIX_DESCRIPTOR = 1;
    static final int IPC_LAZY_ENABLE_PEER_ACCESS = 1;

    private CudaMemory() {}

    /** Makes the handles, so that what is missing is known. */
    static void link() {}

    /** Memory that peers can be given access to. May wait until the device is idle. */
    static long allocate(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(call(MEM_ALLOC, result.address(), bytes), "cuMemAlloc_v2 of " + bytes + " bytes");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void free(long address) {
        check(call(MEM_FREE, address), "cuMemFree_v2");
    }

    /** Memory of this device alone, once the stream has come to it. */
    static long allocate(long bytes, long stream) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(call(MEM_ALLOC_ASYNC, result.address(), bytes, stream), "cuMemAllocAsync of " + bytes + " bytes");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void free(long address, long stream) {
        check(call(MEM_FREE_ASYNC, address, stream), "cuMemFreeAsync");
    }

    static long allocateHost(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(
                    call(MEM_HOST_ALLOC, result.address(), bytes, HOST_ALLOC_PORTABLE_MAPPED),
                    "cuMemHostAlloc of " + bytes + " bytes");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void freeHost(long address) {
        check(call(MEM_FREE_HOST, address), "cuMemFreeHost");
    }

    static long devicePointer(long host) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(call(MEM_HOST_GET_DEVICE_POINTER, result.address(), host, 0), "cuMemHostGetDevicePointer_v2");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void fill(long stream, long address, byte value, long bytes) {
        check(call(MEMSET_D8_ASYNC, address, value & 0xFF, bytes, stream), "cuMemsetD8Async");
    }

    static void copyToDevice(long stream, long to, long from, long bytes) {
        check(call(MEMCPY_HTOD_ASYNC, to, from, bytes, stream), "cuMemcpyHtoDAsync_v2");
    }

    static void copyToHost(long stream, long to, long from, long bytes) {
        check(call(MEMCPY_DTOH_ASYNC, to, from, bytes, stream), "cuMemcpyDtoHAsync_v2");
    }

    static void copy(long stream, long to, long from, long bytes) {
        check(call(MEMCPY_DTOD_ASYNC, to, from, bytes, stream), "cuMemcpyDtoDAsync_v2");
    }

    static long granularity(MemorySegment properties) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(
                    call(MEM_GET_GRANULARITY, result.address(), properties.address(), 0),
                    "cuMemGetAllocationGranularity");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static long createMemory(MemorySegment properties, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(
                    call(MEM_CREATE, result.address(), bytes, properties.address(), 0),
                    "cuMemCreate of " + bytes + " bytes");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void releaseMemory(long handle) {
        check(call(MEM_RELEASE, handle), "cuMemRelease");
    }

    static int exportMemory(long handle) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(
                    call(MEM_EXPORT, result.address(), handle, HANDLE_TYPE_POSIX_DESCRIPTOR, 0),
                    "cuMemExportToShareableHandle");
            return result.get(ValueLayout.JAVA_INT, 0);
        }
    }

    static long importMemory(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(
                    call(MEM_IMPORT, result.address(), descriptor, HANDLE_TYPE_POSIX_DESCRIPTOR),
                    "cuMemImportFromShareableHandle");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static long reserveAddresses(long bytes, long alignment) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            check(call(MEM_ADDRESS_RESERVE, result.address(), bytes, alignment, 0, 0), "cuMemAddressReserve");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void freeAddresses(long address, long bytes) {
        check(call(MEM_ADDRESS_FREE, address, bytes), "cuMemAddressFree");
    }

    static void map(long address, long bytes, long handle) {
        check(call(MEM_MAP, address, bytes, 0, handle, 0), "cuMemMap");
    }

    static void setAccess(long address, long bytes, MemorySegment description) {
        check(call(MEM_SET_ACCESS, address, bytes, description.address(), 1), "cuMemSetAccess");
    }

    static void unmap(long address, long bytes) {
        check(call(MEM_UNMAP, address, bytes), "cuMemUnmap");
    }

    /** Writes the handle by which other processes open memory of {@link #allocate(long)}. */
    static void ipcHandle(MemorySegment handle, long address) {
        check(call(IPC_GET_MEM_HANDLE, handle.address(), address), "cuIpcGetMemHandle");
    }

    /** The memory of another process, which the current device reaches. */
    static long openIpc(MemorySegment handle) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = ForeignCalls.result(arena);
            int code;
            try {
                code = (int) IPC_OPEN_MEM_HANDLE.invokeExact(result.address(), handle, IPC_LAZY_ENABLE_PEER_ACCESS);
            } catch (Throwable t) {
                throw ForeignCalls.impossible(t);
            }
            check(code, "cuIpcOpenMemHandle_v2");
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    static void closeIpc(long address) {
        check(call(IPC_CLOSE_MEM_HANDLE, address), "cuIpcCloseMemHandle");
    }
}
