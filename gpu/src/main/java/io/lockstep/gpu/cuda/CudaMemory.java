package io.lockstep.gpu.cuda;

import static io.lockstep.gpu.cuda.Cuda.LIBRARY;
import static io.lockstep.gpu.cuda.Cuda.check;
import static io.lockstep.gpu.cuda.Cuda.written;
import static io.lockstep.gpu.driver.ForeignCalls.call;

import io.lockstep.gpu.driver.ForeignCalls;
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
        return written("cuMemAlloc_v2 of " + bytes + " bytes", at -> call(MEM_ALLOC, at, bytes));
    }

    static void free(long address) {
        check(call(MEM_FREE, address), "cuMemFree_v2");
    }

    /** Memory of this device alone, once the stream has come to it. */
    static long allocate(long bytes, long stream) {
        return written("cuMemAllocAsync of " + bytes + " bytes", at -> call(MEM_ALLOC_ASYNC, at, bytes, stream));
    }

    static void free(long address, long stream) {
        check(call(MEM_FREE_ASYNC, address, stream), "cuMemFreeAsync");
    }

    static long allocateHost(long bytes) {
        return written(
                "cuMemHostAlloc of " + bytes + " bytes",
                at -> call(MEM_HOST_ALLOC, at, bytes, HOST_ALLOC_PORTABLE_MAPPED));
    }

    static void freeHost(long address) {
        check(call(MEM_FREE_HOST, address), "cuMemFreeHost");
    }

    static long devicePointer(long host) {
        return written("cuMemHostGetDevicePointer_v2", at -> call(MEM_HOST_GET_DEVICE_POINTER, at, host, 0));
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
        return written("cuMemGetAllocationGranularity", at -> call(MEM_GET_GRANULARITY, at, properties.address(), 0));
    }

    static long createMemory(MemorySegment properties, long bytes) {
        return written(
                "cuMemCreate of " + bytes + " bytes", at -> call(MEM_CREATE, at, bytes, properties.address(), 0));
    }

    static void releaseMemory(long handle) {
        check(call(MEM_RELEASE, handle), "cuMemRelease");
    }

    static int exportMemory(long handle) {
        return (int) written(
                "cuMemExportToShareableHandle", at -> call(MEM_EXPORT, at, handle, HANDLE_TYPE_POSIX_DESCRIPTOR, 0));
    }

    static long importMemory(int descriptor) {
        return written(
                "cuMemImportFromShareableHandle", at -> call(MEM_IMPORT, at, descriptor, HANDLE_TYPE_POSIX_DESCRIPTOR));
    }

    static long reserveAddresses(long bytes, long alignment) {
        return written("cuMemAddressReserve", at -> call(MEM_ADDRESS_RESERVE, at, bytes, alignment, 0, 0));
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
        return written("cuIpcOpenMemHandle_v2", at -> openIpc(at, handle));
    }

    private static int openIpc(long result, MemorySegment handle) {
        try {
            return (int) IPC_OPEN_MEM_HANDLE.invokeExact(result, handle, IPC_LAZY_ENABLE_PEER_ACCESS);
        } catch (Throwable t) {
            throw ForeignCalls.impossible(t);
        }
    }

    static void closeIpc(long address) {
        check(call(IPC_CLOSE_MEM_HANDLE, address), "cuIpcCloseMemHandle");
    }
}
