package io.lockstep.gpu.simt;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.DType;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Every bit of every exchange, dtype, world size and odd shape equals the reference. In one run the calls of a build
 * follow one another on the same memory, in every order of exchanges and tokens that the seed gives.
 */
class BitsOnTheHostTest {
    private static final List<Integer> WORLDS = List.of(2, 3, 4, 5, 6, 7, 8);
    private static final List<Integer> HIDDEN = List.of(1, 7, 8, 264, 520, 2040, 2880);
    private static final List<Integer> TOKENS = List.of(1, 2, 3, 13, 17);
    private static final int MOST_SKEW = 60;

    @BeforeAll
    static void requireCompiler() {
        HostBuild.requireCompiler();
    }

    /** Every world size with every hidden; dtypes, waves and parts take turns, so that all pairs occur. */
    @TestFactory
    Stream<DynamicTest> everyBitIsTheReferences() {
        SideBySide cases = new SideBySide();
        int number = 0;
        for (int world : WORLDS) {
            for (int hidden : HIDDEN) {
                DType dtype = DType.values()[(number + number / HIDDEN.size()) % 3];
                boolean residual = number % 4 != 1;
                boolean norm = number % 5 != 2;
                int wave = (number + number / HIDDEN.size()) % 2 == 0 ? 32 : 64;
                add(cases, new KernelOptions(world, dtype, hidden, residual, norm), wave, number);
                number++;
            }
        }
        return cases.tests();
    }

    /**
     * Rows of which a thread holds one pack with few registers to spare, or two, or six, the last of them not whole.
     */
    @TestFactory
    Stream<DynamicTest> longRowsToo() {
        SideBySide cases = new SideBySide();
        add(cases, new KernelOptions(2, DType.BF16, 5000, true, true), 32, 1);
        add(cases, new KernelOptions(8, DType.FP16, 6003, true, true), 64, 2);
        add(cases, new KernelOptions(3, DType.BF16, 7168, false, true), 64, 3);
        add(cases, new KernelOptions(5, DType.FP32, 8190, true, true), 32, 4);
        add(cases, new KernelOptions(4, DType.BF16, 16384, true, false), 32, 5);
        return cases.tests();
    }

    @Tag("slow")
    @TestFactory
    Stream<DynamicTest> everyBitOfTheWholeProductIsTheReferences() {
        SideBySide cases = new SideBySide();
        int number = 0;
        for (int world : WORLDS) {
            for (DType dtype : DType.values()) {
                for (int hidden : HIDDEN) {
                    for (boolean residual : new boolean[] {true, false}) {
                        for (boolean norm : new boolean[] {true, false}) {
                            KernelOptions options = new KernelOptions(world, dtype, hidden, residual, norm);
                            add(cases, options, number++ % 2 == 0 ? 64 : 32, number);
                        }
                    }
                }
            }
        }
        return cases.tests();
    }

    private static void add(SideBySide cases, KernelOptions options, int wave, long seed) {
        cases.add(options + ", wave " + wave, () -> compare(options, wave, seed));
    }

    private static void compare(KernelOptions options, int wave, long seed) throws Exception {
        Layers layers = new Layers(options, seed);
        List<Call> calls = new ArrayList<>();
        for (int tokens : TOKENS) {
            for (Exchange exchange : Exchange.values()) {
                calls.add(layers.any(exchange, tokens));
            }
        }
        Collections.shuffle(calls, new Random(seed));
        KernelJob job = new KernelJob(
                HostBuild.of(options, wave), calls, 1 + (int) (seed % 3), seed, (int) (seed * 7 % MOST_SKEW));
        assertThat(Comparison.firstWrong(job, job.run(), layers))
                .as("seed " + seed)
                .isEmpty();
    }
}
