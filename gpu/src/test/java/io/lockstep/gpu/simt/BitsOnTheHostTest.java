package io.lockstep.gpu.simt;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.DType;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
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

    private static ExecutorService workers;

    /** The builds run side by side: each is one thread of the host. */
    @BeforeAll
    static void startWorkers() {
        HostBuild.requireCompiler();
        workers = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
    }

    @AfterAll
    static void endWorkers() {
        if (workers != null) {
            workers.shutdownNow();
        }
    }

    /** Every dtype with every hidden, and with each of these another world size, wave and set of parts. */
    @TestFactory
    Stream<DynamicTest> everyBitIsTheReferences() {
        Map<String, Callable<Void>> cases = new LinkedHashMap<>();
        int number = 0;
        for (DType dtype : DType.values()) {
            for (int hidden : HIDDEN) {
                int world = WORLDS.get((number * 3 + number / HIDDEN.size()) % WORLDS.size());
                boolean residual = number % 4 != 1;
                boolean norm = number % 5 != 2;
                add(cases, new KernelOptions(world, dtype, hidden, residual, norm), number % 2 == 0 ? 32 : 64, number);
                number++;
            }
        }
        return started(cases);
    }

    @Tag("slow")
    @TestFactory
    Stream<DynamicTest> everyBitOfTheWholeProductIsTheReferences() {
        Map<String, Callable<Void>> cases = new LinkedHashMap<>();
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
        return started(cases);
    }

    private static void add(Map<String, Callable<Void>> cases, KernelOptions options, int wave, long seed) {
        cases.put(options + ", wave " + wave, () -> {
            compare(options, wave, seed);
            return null;
        });
    }

    /** All are under way before the first is awaited. */
    private static Stream<DynamicTest> started(Map<String, Callable<Void>> cases) {
        List<DynamicTest> tests = new ArrayList<>();
        cases.forEach((name, body) -> {
            Future<Void> future = workers.submit(body);
            tests.add(DynamicTest.dynamicTest(name, () -> {
                try {
                    future.get();
                } catch (ExecutionException e) {
                    throw e.getCause();
                }
            }));
        });
        return tests.stream();
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
