package io.lockstep.gpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.UsageException;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.gpu.driver.Compiler;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class KernelTest {
    @Test
    void theSourceIsOneTextThatIncludesNothing() {
        String text = KernelSource.text();
        assertThat(text)
                .doesNotContain("#include")
                .contains("ls_two_shot_push_any")
                .contains("struct LsArgs");
    }

    @Test
    void theDefaultProtocolFileIsWhatTheProtocolsRender() {
        assertThat(KernelSource.resource("protocol.h")).isEqualTo(ProtocolText.render());
    }

    static Stream<Protocol> wrong() {
        return Protocols.historical().stream()
                .filter(protocol -> !protocol.name().equals("one-buffer"));
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void aHistoricalProtocolChangesTheKernels(Protocol protocol) {
        assertThat(ProtocolText.render(protocol).lines().skip(2))
                .isNotEqualTo(ProtocolText.render().lines().skip(2).toList());
        assertThat(KernelSource.text(ProtocolText.render(protocol))).contains("the protocol " + protocol.name());
    }

    @Test
    void theRelaxedProtocolHasNoFenceAtItsMiddleBarrier() {
        String text = ProtocolText.render(Protocols.relaxed());
        String middle = text.substring(text.indexOf("LS_MIDDLE_STEPS"), text.indexOf("LS_END_STEPS"));
        assertThat(middle)
                .contains("LS_STORE_FLAG(relaxed_sys, MIDDLE, call.epoch)")
                .contains("LS_AWAIT_FLAG(relaxed_gpu, MIDDLE, call.epoch)")
                .doesNotContain("fence");
    }

    @Test
    void aProtocolWithOtherAccessesIsRefusedByName() {
        assertThatThrownBy(() -> ProtocolText.exchange(Protocols.oneBuffer()))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("'one-buffer'");
    }

    @ParameterizedTest
    @CsvSource({
        "2, bf16, 1, 1, 1", "2, bf16, 2880, 12, 12", "8, bf16, 4096, 16, 16", "4, bf16, 7168, 28, 28",
        "8, bf16, 7168, 28, 14", "2, bf16, 7936, 31, 31", "2, bf16, 8192, 32, 11", "8, fp32, 2880, 23, 23",
        "2, fp32, 8192, 64, 11", "2, bf16, 65536, 256, 16", "4, fp16, 8457, 34, 9"
    })
    void aRowIsSharedByAsManyWarpsAsHaveAPackEachOrAsRegistersAllow(
            int ranks, String dtype, int hidden, int partials, int warps) {
        KernelOptions options = KernelOptions.of(Operation.allReduceResidualRmsNorm(DType.of(dtype), hidden, 1), ranks);
        assertThat((options.packs() + 31) / 32).isEqualTo(partials);
        assertThat(options.rowWarps()).isEqualTo(warps);
        assertThat(options.threads()).isEqualTo(32 * warps + 32).isLessThanOrEqualTo(1024);
    }

    @Test
    void aRowThatIsTooLongIsRefusedBeforeAnythingStarts() {
        assertThatThrownBy(() -> KernelOptions.of(Operation.allReduceRmsNorm(DType.FP32, 32769, 1), 2))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("at most 32768 elements");
    }

    /** Counts what it is asked for. */
    private static final class CountingCompiler implements Compiler {
        private int compiled;

        @Override
        public String identity() {
            return "counting";
        }

        @Override
        public byte[] compile(String source, String architecture, List<String> defines) {
            compiled++;
            return (source + architecture + defines).getBytes(StandardCharsets.UTF_8);
        }
    }

    @Test
    void codeIsCompiledOnceForAllThatItDependsOn(@TempDir Path folder) {
        CountingCompiler compiler = new CountingCompiler();
        KernelCache cache = new KernelCache(folder.resolve("new"));
        byte[] first = cache.code(compiler, "driver", "sm_90", "source", List.of("A=1"));
        assertThat(cache.code(compiler, "driver", "sm_90", "source", List.of("A=1")))
                .isEqualTo(first);
        assertThat(compiler.compiled).isEqualTo(1);

        cache.code(compiler, "driver", "sm_90", "source", List.of("A=2"));
        cache.code(compiler, "driver", "sm_80", "source", List.of("A=1"));
        cache.code(compiler, "driver", "sm_90", "other", List.of("A=1"));
        cache.code(compiler, "newer", "sm_90", "source", List.of("A=1"));
        assertThat(compiler.compiled).isEqualTo(5);
    }

    @Test
    void codeThatWasCutShortOnDiskIsCompiledAnew(@TempDir Path folder) throws Exception {
        CountingCompiler compiler = new CountingCompiler();
        KernelCache cache = new KernelCache(folder);
        byte[] code = cache.code(compiler, "driver", "sm_90", "source", List.of());
        Path file;
        try (Stream<Path> files = Files.list(folder)) {
            file = files.findFirst().orElseThrow();
        }
        byte[] all = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(all, all.length - 1));

        assertThat(cache.code(compiler, "driver", "sm_90", "source", List.of())).isEqualTo(code);
        assertThat(compiler.compiled).isEqualTo(2);
    }

    @Test
    void aFolderThatCannotBeWrittenToCostsTheCacheAndNoCall(@TempDir Path folder) throws Exception {
        CountingCompiler compiler = new CountingCompiler();
        Path file = Files.writeString(folder.resolve("file"), "in the folder's place");
        KernelCache nowhere = new KernelCache(file.resolve("kernels"));
        byte[] code = nowhere.code(compiler, "driver", "gfx942", "source", List.of());
        assertThat(nowhere.code(compiler, "driver", "gfx942", "source", List.of()))
                .isEqualTo(code);
        assertThat(compiler.compiled).isEqualTo(2);
    }

    @Test
    void codeThatCannotBeKeptLeavesNothingBehind(@TempDir Path folder) throws Exception {
        CountingCompiler compiler = new CountingCompiler();
        Path place = folder.resolve(KernelCache.name(compiler.identity(), "driver", "gfx942", "source", List.of()));
        Files.createDirectories(place.resolve("something in its place"));
        new KernelCache(folder).code(compiler, "driver", "gfx942", "source", List.of());
        assertThat(compiler.compiled).isEqualTo(1);
        assertThat(folder.toFile().list()).containsExactly(place.getFileName().toString());
    }

    @Test
    void theKernelsNameNoVendorOutsideOfOneFile() throws Exception {
        Pattern vendor =
                Pattern.compile("(?i)__CUDA|__HIP|amdgcn|\\basm\\b|__gfx|threadIdx|__shfl|\\b(?:nvidia|amd)\\b");
        Path folder = Path.of(Objects.requireNonNull(KernelSource.class.getResource("kernels.cu"))
                        .toURI())
                .getParent();
        List<String> naming = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file :
                    files.filter(file -> file.toString().matches(".*\\.(h|cu)")).toList()) {
                // What a comment says is for people.
                String code = Files.readString(file).replaceAll("//.*", "");
                if (vendor.matcher(code).find()) {
                    naming.add(file.getFileName().toString());
                }
            }
        }
        assertThat(naming).containsExactly("port.h");
    }
}
