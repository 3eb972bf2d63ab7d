package io.lockstep.gpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.lockstep.gpu.Tools;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The short ways of the arithmetic beside the plain ones, with a device's operations as the host can make them: the
 * right ones differ nowhere, and wrong ones are seen. The device's own are asked on the device, by {@code verify}.
 */
@Execution(ExecutionMode.CONCURRENT)
class ArithmeticTest {
    private static final String PLAIN = """
            #include <cmath>
            #define LS_FN static inline
            #define LS_RARE static
            LS_FN u32 ls_smaller(u32 a, u32 b) { return a < b ? a : b; }
            LS_FN u32 ls_bits(float v) { return __builtin_bit_cast(u32, v); }
            LS_FN float ls_float(u32 bits) { return __builtin_bit_cast(float, bits); }
            LS_FN float ls_shuffle_xor(float v, int) { return v; }
            LS_FN float ls_divide(float a, float b) { return a / b; }
            LS_FN float ls_reciprocal(float a) { return 1.0f / a; }
            LS_FN float ls_root(float a) { return std::sqrt(a); }
            LS_FN float ls_fused(float a, float b, float c) { return std::fmaf(a, b, c); }
            LS_FN float ls_fp16_to_fp32(u32 half) { return (float)__builtin_bit_cast(_Float16, (u16)half); }
            LS_FN u32 ls_fp16(double v) { return __builtin_bit_cast(u16, (_Float16)v); }
            LS_FN u32 ls_round_fp16x2(float low, float high) { return ls_fp16(low) | ls_fp16(high) << 16; }
            LS_FN double ls_fp32(u32 bf16) { return ls_float(bf16 << 16); }
            // Rounded once: first to the odd one of the two floats around it, which no further rounding takes for a tie.
            LS_FN u32 ls_bf16(double v) {
                float f = (float)v;
                u32 bits = ls_bits(f);
                if (v != v) return 0x7FFF;
                if ((double)f != v) bits = (bits - (std::fabs((double)f) > std::fabs(v))) | 1;
                return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
            }
            """;

    /** What a device has for it: bodies of functions. */
    record Ways(String bf16, String fp16, String inverseRoot) {
        static final Ways RIGHT = new Ways(
                "ls_bf16(ls_fp32(a) + ls_fp32(b))",
                "ls_fp16((double)ls_fp16_to_fp32(a) + ls_fp16_to_fp32(b))",
                "(float)(1.0 / std::sqrt((double)a))");

        String text() {
            return """
                    LS_FN u32 ls_add_bf16(u32 a, u32 b) { return %s; }
                    LS_FN u32 ls_add_fp16(u32 a, u32 b) { return %s; }
                    #define LS_HAS_ADD_BF16X2 1
                    LS_FN u32 ls_add_bf16x2(u32 a, u32 b) { return ls_add_bf16(a & 0xFFFF, b & 0xFFFF) | ls_add_bf16(a >> 16, b >> 16) << 16; }
                    #define LS_HAS_ADD_FP16X2 1
                    LS_FN u32 ls_add_fp16x2(u32 a, u32 b) { return ls_add_fp16(a & 0xFFFF, b & 0xFFFF) | ls_add_fp16(a >> 16, b >> 16) << 16; }
                    #define LS_HAS_INVERSE_ROOT 1
                    LS_FN float ls_inverse_root_nearly(float a) { return %s; }
                    """.formatted(bf16, fp16, inverseRoot);
        }
    }

    private static final String MAIN = """
            #include "port.h"
            #include "numerics.h"
            #include "arithmetic.h"
            #include <cstdio>
            int main() {
                u32 wrong = 0;
                // Every element with some of all kinds, and every fraction in the two powers that a root tells apart.
                for (u32 a = 0; a < 0x10000; a++) {
                    for (u32 b = 0; b < 0x10000; b += 4093) wrong += ls_short_way_differs(a | b << 16);
                }
                wrong += ls_short_way_differs(0x80000000u);
                for (u32 bits = ls_bits(1.0f); bits < ls_bits(4.0f); bits++) wrong += ls_short_way_differs(bits);
                std::printf("%s", wrong == 0 ? "right" : "wrong");
            }
            """;

    @BeforeAll
    static void requireCompiler() {
        assumeThat(Tools.find("g++"))
                .as("g++, which compiles the kernels for the host")
                .isPresent();
    }

    private static String outcome(Path folder, Ways ways, String dtype, int hidden) throws Exception {
        Files.writeString(folder.resolve("shim.h"), PLAIN + ways.text());
        for (String file : List.of("port.h", "numerics.h", "arithmetic.h")) {
            Files.writeString(folder.resolve(file), KernelSource.resource(file));
        }
        return Tools.runSource(
                folder,
                MAIN,
                List.of(
                        "-O2",
                        "-ffp-contract=off",
                        "-DLS_HOST",
                        "-DLS_NORM=1",
                        "-DLS_ROW_WARPS=1",
                        "-DLS_DTYPE=" + dtype,
                        "-DLS_HIDDEN=" + hidden,
                        "-I" + folder));
    }

    @ParameterizedTest
    @CsvSource({"0, 2880", "1, 4096", "2, 7", "0, 16383"})
    void theShortWaysAreThePlainOnes(String dtype, int hidden, @TempDir Path folder) throws Exception {
        assertThat(outcome(folder, Ways.RIGHT, dtype, hidden)).isEqualTo("right");
    }

    static Stream<Arguments> wrongWays() {
        Ways right = Ways.RIGHT;
        return Stream.of(
                arguments(
                        "0",
                        "cuts off",
                        new Ways("ls_bits((float)(ls_fp32(a) + ls_fp32(b))) >> 16", right.fp16, right.inverseRoot)),
                arguments(
                        "0",
                        "has no small numbers",
                        new Ways(
                                "std::fabs(ls_fp32(a) + ls_fp32(b)) < 0x1p-126 ? 0 : " + right.bf16,
                                right.fp16,
                                right.inverseRoot)),
                arguments(
                        "1",
                        "rounds to bf16 before",
                        new Ways(
                                right.bf16,
                                "ls_fp16(ls_fp32(ls_bf16((double)ls_fp16_to_fp32(a) + ls_fp16_to_fp32(b))))",
                                right.inverseRoot)),
                arguments(
                        "2",
                        "is not near enough",
                        new Ways(
                                right.bf16,
                                right.fp16,
                                "ls_float(ls_bits((float)(1.0 / std::sqrt((double)a))) + 4096)")));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("wrongWays")
    void aWrongOneIsSeen(String dtype, String fault, Ways ways, @TempDir Path folder) throws Exception {
        assertThat(outcome(folder, ways, dtype, 2880)).as(fault).isEqualTo("wrong");
    }
}
