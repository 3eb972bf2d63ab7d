package io.lockstep.gpu.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.core.Backends;
import io.lockstep.core.Communicator;
import io.lockstep.core.DriverException;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Readiness;
import io.lockstep.gpu.Tools;
import io.lockstep.gpu.kernel.KernelSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaTest {
    private static final Path TOOLKIT_HEADERS = Path.of("/usr/local/cuda/include");

    @Test
    void theBackendIsFoundByItsName() {
        assertThat(Backends.all())
                .anySatisfy(backend -> assertThat(backend.name()).isEqualTo("cuda"));
    }

    @Test
    void withoutADriverTheBackendSaysWhyNot() {
        Readiness readiness = new CudaBackend().probe();
        assumeThat(readiness).as("a machine without a GPU").isInstanceOf(Readiness.NotReady.class);

        String reason = ((Readiness.NotReady) readiness).reason();
        assertThat(reason).matches("[A-Z].*\\.").containsAnyOf("libcuda", "cuInit", "CUDA_VISIBLE_DEVICES");
        assertThatThrownBy(() -> Communicator.threads(GroupSpec.of("none", 0, 2).withBackend("cuda")))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void theDriversStructsLieWhereItsHeaderPutsThem(@TempDir Path folder) throws Exception {
        assumeThat(Tools.find("g++")).as("g++").isPresent();
        assumeThat(TOOLKIT_HEADERS.resolve("cuda.h"))
                .as("the header of CUDA's driver")
                .exists();
        String source = """
                #include <cuda.h>
                #include <cstddef>
                #include <cstdio>
                int main() {
                    printf("%zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu ", sizeof(CUlaunchConfig), offsetof(CUlaunchConfig, gridDimX),
                        offsetof(CUlaunchConfig, gridDimY), offsetof(CUlaunchConfig, gridDimZ), offsetof(CUlaunchConfig, blockDimX),
                        offsetof(CUlaunchConfig, blockDimY), offsetof(CUlaunchConfig, blockDimZ), offsetof(CUlaunchConfig, sharedMemBytes),
                        offsetof(CUlaunchConfig, hStream), offsetof(CUlaunchConfig, attrs), offsetof(CUlaunchConfig, numAttrs));
                    printf("%zu %zu %zu %d ", sizeof(CUlaunchAttribute), offsetof(CUlaunchAttribute, id), offsetof(CUlaunchAttribute, value),
                        (int)CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
                    printf("%zu %zu %zu %zu %zu ", sizeof(CUmemAllocationProp), offsetof(CUmemAllocationProp, type),
                        offsetof(CUmemAllocationProp, requestedHandleTypes), offsetof(CUmemAllocationProp, location.type),
                        offsetof(CUmemAllocationProp, location.id));
                    printf("%zu %zu %zu %zu ", sizeof(CUmemAccessDesc), offsetof(CUmemAccessDesc, location.type),
                        offsetof(CUmemAccessDesc, location.id), offsetof(CUmemAccessDesc, flags));
                    printf("%d %d %d %d ", (int)CU_MEM_ALLOCATION_TYPE_PINNED, (int)CU_MEM_LOCATION_TYPE_DEVICE,
                        (int)CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, (int)CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
                    printf("%zu %zu %d ", sizeof(CUipcMemHandle), alignof(CUipcMemHandle), (int)CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS);
                    printf("%d %d %d %d %d %d", (int)CU_DEVICE_ATTRIBUTE_WARP_SIZE, (int)CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT,
                        (int)CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, (int)CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
                        (int)CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED,
                        (int)CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED);
                }
                """;

        assertThat(Tools.runSource(folder, source, List.of("-I" + TOOLKIT_HEADERS))
                        .split(" ", -1))
                .containsExactly(texts(
                        CudaLaunch.CONFIG_BYTES,
                        CudaLaunch.GRID_X,
                        CudaLaunch.GRID_Y,
                        CudaLaunch.GRID_Z,
                        CudaLaunch.BLOCK_X,
                        CudaLaunch.BLOCK_Y,
                        CudaLaunch.BLOCK_Z,
                        CudaLaunch.SHARED_BYTES,
                        CudaLaunch.STREAM,
                        CudaLaunch.ATTRIBUTES,
                        CudaLaunch.ATTRIBUTE_COUNT,
                        CudaLaunch.ATTRIBUTE_BYTES,
                        CudaLaunch.ATTRIBUTE_ID,
                        CudaLaunch.ATTRIBUTE_VALUE,
                        CudaLaunch.PROGRAMMATIC_STREAM_SERIALIZATION,
                        CudaPeerMemory.PROPERTIES_BYTES,
                        CudaPeerMemory.PROPERTIES_TYPE,
                        CudaPeerMemory.PROPERTIES_HANDLE_TYPES,
                        CudaPeerMemory.PROPERTIES_LOCATION_TYPE,
                        CudaPeerMemory.PROPERTIES_LOCATION,
                        CudaPeerMemory.ACCESS_BYTES,
                        CudaPeerMemory.ACCESS_LOCATION_TYPE,
                        CudaPeerMemory.ACCESS_LOCATION,
                        CudaPeerMemory.ACCESS_FLAGS,
                        CudaPeerMemory.TYPE_PINNED,
                        CudaPeerMemory.LOCATION_DEVICE,
                        CudaPeerMemory.HANDLE_DESCRIPTOR,
                        CudaPeerMemory.READ_WRITE,
                        CudaMemory.IPC_HANDLE.byteSize(),
                        CudaMemory.IPC_HANDLE.byteAlignment(),
                        CudaMemory.IPC_LAZY_ENABLE_PEER_ACCESS,
                        Cuda.ATTRIBUTE_WARP_SIZE,
                        Cuda.ATTRIBUTE_MULTIPROCESSORS,
                        Cuda.ATTRIBUTE_CAPABILITY_MAJOR,
                        Cuda.ATTRIBUTE_CAPABILITY_MINOR,
                        Cuda.ATTRIBUTE_VIRTUAL_MEMORY,
                        Cuda.ATTRIBUTE_POSIX_DESCRIPTORS));
    }

    private static String[] texts(long... numbers) {
        return Arrays.stream(numbers).mapToObj(Long::toString).toArray(String[]::new);
    }

    @Test
    void memoryGoesByCuIpcWhereADeviceExportsNoDescriptorsOrTheUserSaysSo() {
        assertThat(CudaPeerMemory.exportsDescriptors(null, 1, 1)).isTrue();
        assertThat(CudaPeerMemory.exportsDescriptors("0", 1, 1)).isTrue();
        assertThat(CudaPeerMemory.exportsDescriptors(null, 0, 1)).isFalse();
        assertThat(CudaPeerMemory.exportsDescriptors(null, 1, 0)).isFalse();
        assertThat(CudaPeerMemory.exportsDescriptors("1", 1, 1)).isFalse();
    }

    @Test
    void whatACompilerSaysOfAFaultReachesTheCaller() {
        CudaCompiler compiler = new CudaCompiler();
        assumeThat(Nvrtc.compiler().whyNot() == null || CudaCompiler.nvcc() != null)
                .as("NVRTC or nvcc")
                .isTrue();
        assertThatThrownBy(() -> compiler.compile("this is no kernel", "sm_90", List.of()))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("error");
    }

    @Test
    void theCompilerThatIsHereMakesCode() {
        assumeThat(Nvrtc.compiler().whyNot() == null || CudaCompiler.nvcc() != null)
                .as("NVRTC or nvcc")
                .isTrue();
        CudaCompiler compiler = new CudaCompiler();
        assertThat(compiler.identity()).matches("(NVRTC|nvcc) .*\\d+.*");
        byte[] code = compiler.compile(
                KernelSource.text(),
                "sm_90",
                List.of("LS_RANKS=2", "LS_DTYPE=1", "LS_HIDDEN=33", "LS_ROW_WARPS=1", "LS_RESIDUAL=0", "LS_NORM=1"));
        assertThat(code).startsWith(0x7F, 'E', 'L', 'F');
    }

    @Test
    void aLibraryThatIsNamedIsLookedForFirst(@TempDir Path folder) throws Exception {
        Path file = Files.createFile(folder.resolve("libnvrtc.so.13"));
        List<String> sonames = List.of("libnvrtc.so.13", "libnvrtc.so.12");
        assertThat(LibraryPlaces.candidates(Map.of("LOCKSTEP_NVRTC", file.toString()), "LOCKSTEP_NVRTC", sonames))
                .first()
                .isEqualTo(file.toString());
        assertThat(LibraryPlaces.candidates(Map.of("LOCKSTEP_NVRTC", folder.toString()), "LOCKSTEP_NVRTC", sonames))
                .first()
                .isEqualTo(file.toString());
        assertThat(LibraryPlaces.candidates(Map.of("LD_LIBRARY_PATH", folder.toString()), "LOCKSTEP_NVRTC", sonames))
                .first()
                .isEqualTo(file.toString());
        assertThat(LibraryPlaces.candidates(Map.of(), "LOCKSTEP_NVRTC", sonames))
                .containsAll(sonames);
    }

    @Test
    void aPythonPackageIsFoundInAVirtualEnvironment(@TempDir Path folder) throws Exception {
        Path lib = Files.createDirectories(folder.resolve("lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib"));
        Path file = Files.createFile(lib.resolve("libnvrtc.so.12"));
        assertThat(LibraryPlaces.candidates(
                        Map.of("VIRTUAL_ENV", folder.toString()), "LOCKSTEP_NVRTC", List.of("libnvrtc.so.12")))
                .contains(file.toString());
    }
}
