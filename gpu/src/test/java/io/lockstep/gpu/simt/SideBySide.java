package io.lockstep.gpu.simt;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.function.Executable;

/** Tests by name that run side by side, one on each core: every program is one thread of the host. */
final class SideBySide {
    private final Map<String, Executable> bodies = new LinkedHashMap<>();

    void add(String name, Executable body) {
        bodies.put(name, body);
    }

    /** All are under way before the first is awaited. */
    Stream<DynamicTest> tests() {
        ExecutorService workers =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        List<DynamicTest> tests = new ArrayList<>();
        bodies.forEach((name, body) -> {
            Future<?> future = workers.submit(() -> {
                try {
                    body.execute();
                } catch (Error | Exception e) {
                    throw e;
                } catch (Throwable e) {
                    throw new IllegalStateException(e);
                }
                return null;
            });
            tests.add(DynamicTest.dynamicTest(name, () -> {
                try {
                    future.get();
                } catch (ExecutionException e) {
                    throw e.getCause();
                }
            }));
        });
        workers.shutdown();
        return tests.stream();
    }
}
