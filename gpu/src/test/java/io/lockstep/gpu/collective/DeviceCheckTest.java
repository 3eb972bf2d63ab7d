package io.lockstep.gpu.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.reference.Elements;
import io.lockstep.core.reference.Reference;
import io.lockstep.gpu.GpuCommunicator;
import io.lockstep.gpu.GpuGraph;
import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.Tools;
import io.lockstep.gpu.kernel.KernelSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The kernels that check others, on a device of the host: they must be right themselves, and see what is wrong. */
class DeviceCheckTest {
    private static final int RANKS = 2;

    private List<Communicator> group = List.of();
    private final Arena arena = Arena.ofShared();

    @BeforeAll
    static void requireCompiler() {
        assumeThat(Tools.find("g++"))
                .as("g++, which compiles the kernels for the host")
                .isPresent();
    }

    @BeforeEach
    void open() {
        group = Communicator.threads(GroupSpec.of("check", 0, RANKS).withBackend("host"));
    }

    @AfterEach
    void close() {
        group.forEach(Communicator::close);
        arena.close();
    }

    private GpuCommunicator rank() {
        return (GpuCommunicator) group.getFirst();
    }

    private DeviceSpan put(MemorySegment from) {
        DeviceSpan span = rank().allocate(from.byteSize());
        rank().upload(from, span);
        return span;
    }

    /** Any bits at all: numbers, infinities and NaNs of every kind. */
    private MemorySegment anyBits(long bytes, long seed) {
        MemorySegment segment = arena.allocate(bytes, 16);
        SplittableRandom random = new SplittableRandom(seed);
        for (long at = 0; at < bytes; at++) {
            // Four bytes in a row of ones are a NaN of every type.
            segment.set(ValueLayout.JAVA_BYTE, at, at % 48 < 4 ? -1 : (byte) random.nextInt(256));
        }
        return segment;
    }

    @ParameterizedTest
    @CsvSource({"bf16, 264", "fp16, 40", "fp32, 33", "bf16, 7"})
    void theSpecificationOnTheDeviceIsTheOneOfTheHostInEveryBitNaNsIncluded(String type, int hidden) {
        DType dtype = DType.of(type);
        int tokens = 9;
        Operation operation = Operation.allReduceResidualRmsNorm(dtype, hidden, tokens);
        long bytes = tokens * operation.rowBytes();
        List<MemorySegment> inputs = List.of(anyBits(bytes, 1), anyBits(bytes, 2));
        int nans = judge(operation, inputs, anyBits(bytes, 3), anyBits(operation.rowBytes(), 4));
        assertThat(nans).as("NaNs were among them").isPositive();
    }

    /** Nothing times infinity: the one NaN, though all that comes in is a number. */
    @ParameterizedTest
    @CsvSource({"bf16", "fp16", "fp32"})
    void aRowOfZerosWithoutAnEpsilonIsOfTheOneNaN(String type) {
        DType dtype = DType.of(type);
        Operation operation = Operation.allReduceResidualRmsNorm(dtype, 40, 2).withEpsilon(0);
        MemorySegment zeros = arena.allocate(2 * operation.rowBytes(), 16);
        MemorySegment weight = arena.allocate(operation.rowBytes(), 16);
        for (int i = 0; i < 40; i++) {
            Elements.set(dtype, weight, i, i - 20.5f);
        }
        assertThat(judge(operation, List.of(zeros, zeros), zeros, weight)).isEqualTo(2 * 40);
    }

    /** The device's specification beside the host's, in all bits: how many NaNs there are. */
    private int judge(Operation operation, List<MemorySegment> inputs, MemorySegment residual, MemorySegment weight) {
        DType dtype = operation.dtype();
        int hidden = operation.hidden();
        int tokens = operation.maxTokens();
        long bytes = tokens * operation.rowBytes();
        List<DeviceSpan> results = new ArrayList<>();
        try (DeviceCheck check = GpuDiagnostics.check(rank(), operation)) {
            for (int i = 0; i < 3; i++) {
                results.add(put(arena.allocate(bytes)));
            }
            check.reference(
                    tokens,
                    inputs.stream().map(this::put).toList(),
                    Tensors.lent()
                            .withResidual(put(residual))
                            .withWeight(put(weight))
                            .withReduced(results.get(0))
                            .withResidualOut(results.get(1))
                            .withOut(results.get(2)));
            assertThat(check.difference()).isEqualTo(Difference.NONE);
        }
        float[][] ranks = new float[RANKS][hidden];
        float[] residualRow = new float[hidden];
        float[] weightRow = new float[hidden];
        float[][] expected = new float[3][hidden];
        int nans = 0;
        for (int row = 0; row < tokens; row++) {
            for (int i = 0; i < hidden; i++) {
                long at = (long) row * hidden + i;
                ranks[0][i] = Elements.get(dtype, inputs.get(0), at);
                ranks[1][i] = Elements.get(dtype, inputs.get(1), at);
                residualRow[i] = Elements.get(dtype, residual, at);
                weightRow[i] = Elements.get(dtype, weight, i);
            }
            Reference.row(operation, ranks, residualRow, weightRow, expected[0], expected[1], expected[2]);
            for (int tensor = 0; tensor < 3; tensor++) {
                MemorySegment wanted = arena.allocate(operation.rowBytes());
                for (int i = 0; i < hidden; i++) {
                    Elements.set(dtype, wanted, i, expected[tensor][i]);
                    nans += Float.isNaN(expected[tensor][i]) ? 1 : 0;
                }
                MemorySegment found = arena.allocate(operation.rowBytes());
                rank().download(results.get(tensor).slice(row * operation.rowBytes(), operation.rowBytes()), found);
                assertThat(found.mismatch(wanted))
                        .as("tensor %d, row %d", tensor, row)
                        .isEqualTo(-1);
            }
        }
        return nans;
    }

    @ParameterizedTest
    @CsvSource({"bf16, 264, 0", "bf16, 264, 2", "fp16, 41, 0", "fp32, 33, 4"})
    void oneFlippedBitIsFoundWhereverItIs(String type, int hidden, int shift) {
        DType dtype = DType.of(type);
        int tokens = 20;
        Operation operation = Operation.allReduceResidualRmsNorm(dtype, hidden, tokens);
        long bytes = tokens * operation.rowBytes();
        try (DeviceCheck check = GpuDiagnostics.check(rank(), operation)) {
            DeviceSpan wanted = rank().allocate(bytes + shift).slice(shift, bytes);
            DeviceSpan found = rank().allocate(bytes + shift).slice(shift, bytes);
            check.make(wanted, 77, tokens);
            check.make(found, 77, tokens);
            check.compare(found, wanted, tokens, 0, 0);
            assertThat(check.difference()).isEqualTo(Difference.NONE);
            for (int element : List.of(0, hidden - 1, hidden, 7 * hidden + 5, tokens * hidden - 1)) {
                MemorySegment one = arena.allocate(dtype.bytes());
                DeviceSpan place = found.slice((long) element * dtype.bytes(), dtype.bytes());
                rank().download(place, one);
                float before = Elements.get(dtype, one, 0);
                one.set(ValueLayout.JAVA_BYTE, 0, (byte) (one.get(ValueLayout.JAVA_BYTE, 0) ^ 1));
                float after = Elements.get(dtype, one, 0);
                rank().upload(one, place);

                check.compare(found, wanted, tokens, 5, 2);
                // Rows behind the last one compared do not count.
                check.compare(found, wanted, element / hidden, 4, 1);

                assertThat(check.difference())
                        .isEqualTo(new Difference(
                                1,
                                1,
                                Math.abs((double) before - after),
                                new Difference.Element(5, 2, element, before, after)));
                check.make(found, 77, tokens);
            }
        }
    }

    @Test
    void allThatIsWrongInSeveralCallsIsCountedAndTheFirstOneIsShown() {
        Operation operation = Operation.allReduceResidualRmsNorm(DType.BF16, 48, 3);
        long bytes = 3 * operation.rowBytes();
        try (DeviceCheck check = GpuDiagnostics.check(rank(), operation)) {
            DeviceSpan zeros = put(arena.allocate(bytes));
            MemorySegment ones = arena.allocate(bytes).fill((byte) 0xFF);
            DeviceSpan wrong = put(ones);
            MemorySegment nan = arena.allocate(bytes);
            nan.set(ValueLayout.JAVA_SHORT, 10, (short) 0x7FC0);
            DeviceSpan canonical = put(nan);
            nan.set(ValueLayout.JAVA_SHORT, 10, (short) 0x7FC1);
            DeviceSpan other = put(nan);

            check.compare(wrong, zeros, 3, 9, 1);
            check.compare(canonical, other, 3, 3, 2);
            check.compare(zeros, zeros, 3, 0, 0);
            Difference found = check.difference();

            assertThat(found.wrongBits()).isEqualTo(3 * 48 * 16 + 1);
            assertThat(found.wrongElements()).isEqualTo(3 * 48 + 1);
            assertThat(found.maxAbsErr()).isInfinite();
            assertThat(found.first()).isEqualTo(new Difference.Element(3, 2, 5, Float.NaN, Float.NaN));
            assertThat(check.difference()).as("it is told once").isEqualTo(Difference.NONE);
        }
    }

    @Test
    void aPauseLastsAsLongAsTheDevicesClockTells() {
        Operation operation = Operation.allReduceResidualRmsNorm(DType.BF16, 8, 1);
        try (DeviceCheck check = GpuDiagnostics.check(rank(), operation)) {
            check.difference();
            long start = System.nanoTime();
            check.pause(20_000_000);
            check.difference();
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(20_000_000);
        }
    }

    @ParameterizedTest
    @CsvSource({"264, 0", "41, 0", "264, 2"})
    void theUnfusedPathHasTheBitsOfTheContractEagerAndInAGraph(int hidden, int shift) throws Exception {
        int tokens = 11;
        Operation operation = Operation.allReduceResidualRmsNorm(DType.BF16, hidden, tokens);
        long bytes = tokens * operation.rowBytes();
        List<java.util.concurrent.Callable<Difference>> ranks = new ArrayList<>();
        for (Communicator communicator : group) {
            ranks.add(() -> {
                GpuCommunicator own = (GpuCommunicator) communicator;
                try (DeviceCheck check = GpuDiagnostics.check(own, operation);
                        GpuPlan plan = GpuDiagnostics.unfused(own, operation, check.stream())) {
                    List<DeviceSpan> spans = new ArrayList<>();
                    for (int i = 0; i < 9; i++) {
                        spans.add(own.allocate(bytes + shift).slice(shift, bytes));
                        check.make(spans.get(i), i, i == 3 ? 1 : tokens);
                    }
                    check.reference(
                            tokens,
                            spans.subList(0, RANKS),
                            Tensors.lent()
                                    .withResidual(spans.get(2))
                                    .withWeight(spans.get(3))
                                    .withReduced(spans.get(4))
                                    .withResidualOut(spans.get(5))
                                    .withOut(spans.get(6)));
                    Tensors call = Tensors.of(spans.get(own.rank()))
                            .withResidual(spans.get(2))
                            .withWeight(spans.get(3))
                            .withResidualOut(spans.get(7))
                            .withOut(spans.get(8));
                    Runnable judged = () -> {
                        check.fill(spans.get(7), (byte) 1);
                        check.fill(spans.get(8), (byte) 1);
                        plan.run(tokens, call);
                        check.compare(spans.get(7), spans.get(5), tokens, 0, 1);
                        check.compare(spans.get(8), spans.get(6), tokens, 0, 2);
                    };
                    judged.run();
                    try (GpuGraph graph = plan.capture(judged)) {
                        graph.launch();
                        graph.launch();
                        return check.difference();
                    }
                }
            });
        }
        try (var threads = java.util.concurrent.Executors.newFixedThreadPool(RANKS)) {
            for (var found : threads.invokeAll(ranks)) {
                assertThat(found.get()).isEqualTo(Difference.NONE);
            }
        }
    }

    @Test
    void theArgumentsLieWhereTheKernelsLookForThem(@TempDir Path folder) throws Exception {
        String file = KernelSource.resource("check.cu");
        String program = "#include <cstddef>\n#include <cstdio>\n"
                + "typedef unsigned u32; typedef unsigned long long u64;\n"
                + file.substring(file.indexOf("struct LsDifference"), file.indexOf("// ---- Tensors from a seed"))
                + "#define AT(s, m) printf(\"%zu \", offsetof(s, m))\nint main() {\n"
                + "AT(LsCheckArgs, made); AT(LsCheckArgs, found); AT(LsCheckArgs, wanted); AT(LsCheckArgs, wrong);\n"
                + "AT(LsCheckArgs, differences); AT(LsCheckArgs, key); AT(LsCheckArgs, nanos); AT(LsCheckArgs, rows);\n"
                + "AT(LsCheckArgs, call); AT(LsCheckArgs, tensor); printf(\"%zu \", sizeof(LsCheckArgs));\n"
                + "AT(LsDifference, bits); AT(LsDifference, elements); AT(LsDifference, error);\n"
                + "AT(LsDifference, element); AT(LsDifference, call); AT(LsDifference, tensor);\n"
                + "AT(LsDifference, wanted); AT(LsDifference, found); printf(\"%zu\", sizeof(LsDifference)); }\n";

        assertThat(Tools.runSource(folder, program, List.of()))
                .isEqualTo("0 8 16 24 32 40 48 56 60 64 72 0 8 16 24 32 36 40 44 48")
                .isEqualTo(texts(
                        CheckArguments.MADE,
                        CheckArguments.FOUND,
                        CheckArguments.WANTED,
                        CheckArguments.WRONG,
                        CheckArguments.DIFFERENCES,
                        CheckArguments.KEY,
                        CheckArguments.NANOS,
                        CheckArguments.ROWS,
                        CheckArguments.CALL,
                        CheckArguments.TENSOR,
                        CheckArguments.BYTES,
                        CheckArguments.BITS,
                        CheckArguments.ELEMENTS,
                        CheckArguments.ERROR,
                        CheckArguments.ELEMENT,
                        CheckArguments.FIRST_CALL,
                        CheckArguments.FIRST_TENSOR,
                        CheckArguments.FIRST_WANTED,
                        CheckArguments.FIRST_FOUND,
                        CheckArguments.DIFFERENCE_BYTES));
    }

    private static String texts(long... numbers) {
        return String.join(
                " ", java.util.Arrays.stream(numbers).mapToObj(Long::toString).toList());
    }
}
