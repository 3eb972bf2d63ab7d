package io.lockstep.gpu;

import io.lockstep.core.DType;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.gpu.GpuSelfTest.Group;
import io.lockstep.gpu.collective.GpuDiagnostics;
import io.lockstep.gpu.collective.GpuTimer;
import io.lockstep.gpu.kernel.Exchange;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;

/**
 * The time of a call on real GPUs, every exchange and the vendor's library in one run: 50 calls in a captured graph,
 * the median of 15 replays of the slowest rank; and eager, one event pair a call, with the time that the host takes to
 * queue one.
 *
 * <pre>
 * GpuBench [--tp 2] [--dtype bf16] [--shapes 1x2880,…] [--variants one-shot-push,…,auto,library,relaxed]
 * </pre>
 */
public final class GpuBench {
    private static final String SHAPES =
            "1x2880,1x4096,16x4096,64x2880,128x2880,512x2880,1024x2880,1319x2880,2048x2880,"
                    + "4096x2880,8192x2880,16384x2880";
    private static final String VARIANTS = "one-shot-push,two-shot-push,one-shot-pull,two-shot-pull,auto,library";
    private static final int CALLS = 50;
    private static final int REPLAYS = 15;
    private static final int WARM_UP_REPLAYS = 3;
    private static final int EAGER_CALLS = 300;

    /** One-shot past so much memory a rank is of no interest. */
    private static final long MOST_ONE_SHOT_TOKENS = 2048;

    private final int worldSize;
    private final CyclicBarrier together;

    private GpuBench(int worldSize) {
        this.worldSize = worldSize;
        together = new CyclicBarrier(worldSize);
    }

    /** What one rank measured, in microseconds. */
    private record Times(List<Double> graph, List<Double> eager, double host) {}

    public static void main(String[] arguments) throws Exception {
        Map<String, String> options = new LinkedHashMap<>();
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            options.put(arguments[i], arguments[i + 1]);
        }
        GpuSelfTest setting = GpuSelfTest.of(options);
        GpuBench bench = new GpuBench(setting.worldSize);
        DType dtype = DType.of(options.getOrDefault("--dtype", "bf16"));
        System.out.printf("TP %d, %s, microseconds a call: graph (eager device, eager host)%n", bench.worldSize, dtype);
        for (String shape : options.getOrDefault("--shapes", SHAPES).split(",", -1)) {
            String[] parts = shape.split("x", -1);
            int tokens = Integer.parseInt(parts[0]);
            Operation operation = Operation.allReduceResidualRmsNorm(dtype, Integer.parseInt(parts[1]), tokens);
            StringBuilder line = new StringBuilder(String.format("%-12s", shape));
            for (String variant : options.getOrDefault("--variants", VARIANTS).split(",", -1)) {
                line.append(" | ").append(variant).append(' ').append(bench.cell(setting, operation, variant));
            }
            System.out.println(line);
            System.out.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private String cell(GpuSelfTest setting, Operation operation, String variant) {
        if (variant.startsWith("one-shot") && operation.maxTokens() > MOST_ONE_SHOT_TOKENS) {
            return "-";
        }
        List<Times> all = new ArrayList<>();
        try (Group group = new Group(setting.spec())) {
            group.each(communicator -> {
                Times times = measure(communicator, operation, variant);
                synchronized (all) {
                    all.add(times);
                }
                return "";
            });
        } catch (Exception e) {
            together.reset();
            return "failed: " + (e.getCause() == null ? e : e.getCause()).getMessage();
        }
        if (all.size() < worldSize) {
            together.reset();
            return "stuck";
        }
        return String.format(
                "%.2f (%.2f, %.2f)",
                slowestMedian(all.stream().map(Times::graph).toList()),
                slowestMedian(all.stream().map(Times::eager).toList()),
                all.stream().mapToDouble(Times::host).max().orElseThrow());
    }

    /** The median over repetitions of what the slowest rank took. */
    private static double slowestMedian(List<List<Double>> ranks) {
        double[] slowest = new double[ranks.getFirst().size()];
        for (List<Double> rank : ranks) {
            for (int i = 0; i < slowest.length; i++) {
                slowest[i] = Math.max(slowest[i], rank.get(i));
            }
        }
        Arrays.sort(slowest);
        return slowest[slowest.length / 2];
    }

    private static GpuPlan plan(GpuCommunicator communicator, Operation operation, String variant) {
        if (variant.equals("auto")) {
            return communicator.plan(operation);
        }
        if (variant.equals("library")) {
            return GpuDiagnostics.library(communicator, operation);
        }
        for (Exchange exchange : Exchange.values()) {
            if (exchange.label().equals(variant)) {
                return GpuDiagnostics.plan(communicator, operation, exchange);
            }
        }
        return GpuDiagnostics.plan(
                communicator, operation, Protocols.named(variant).orElseThrow());
    }

    private Times measure(GpuCommunicator communicator, Operation operation, String variant) throws Exception {
        GpuPlan plan = plan(communicator, operation, variant);
        int tokens = operation.maxTokens();
        long bytes = tokens * operation.rowBytes();
        DeviceSpan weight = communicator.allocate(operation.rowBytes());
        DeviceSpan[] tensors = new DeviceSpan[4];
        for (int i = 0; i < tensors.length; i++) {
            tensors[i] = communicator.allocate(bytes);
        }
        try (Arena arena = Arena.ofConfined()) {
            // Zeros: no bits that take another path.
            communicator.upload(arena.allocate(operation.rowBytes()), weight);
            for (DeviceSpan tensor : tensors) {
                communicator.upload(arena.allocate(bytes), tensor);
            }
        }
        Tensors call = Tensors.of(tensors[0])
                .withResidual(tensors[1])
                .withResidualOut(tensors[2])
                .withWeight(weight)
                .withOut(tensors[3]);
        List<Double> graphs = graphs(communicator, plan, tokens, call);
        return eager(communicator, plan, tokens, call, graphs);
    }

    private List<Double> graphs(GpuCommunicator communicator, GpuPlan plan, int tokens, Tensors call) throws Exception {
        plan.run(tokens, call);
        plan.check();
        List<Double> micros = new ArrayList<>();
        try (GpuTimer timer = GpuDiagnostics.timer(communicator, plan);
                GpuGraph graph = plan.capture(() -> {
                    for (int i = 0; i < CALLS; i++) {
                        plan.run(tokens, call);
                    }
                })) {
            for (int replay = -WARM_UP_REPLAYS; replay < REPLAYS; replay++) {
                meet();
                timer.start();
                graph.launch();
                timer.stop();
                plan.check();
                if (replay >= 0) {
                    micros.add(timer.microseconds() / CALLS);
                }
            }
        }
        return micros;
    }

    private Times eager(GpuCommunicator communicator, GpuPlan plan, int tokens, Tensors call, List<Double> graphs)
            throws Exception {
        List<GpuTimer> timers = new ArrayList<>();
        for (int i = 0; i < EAGER_CALLS; i++) {
            timers.add(GpuDiagnostics.timer(communicator, plan));
        }
        // Twice: the first time the compiler has its turn.
        double host = 0;
        for (int pass = 0; pass < 2; pass++) {
            meet();
            for (GpuTimer timer : timers) {
                timer.start();
                plan.run(tokens, call);
                timer.stop();
            }
            plan.check();
            // Not so many that the queue of the device fills up and the host waits for it.
            meet();
            for (int i = 0; i < 2_000 && pass == 0; i++) {
                plan.run(tokens, call);
            }
            plan.check();
            meet();
            long start = System.nanoTime();
            for (int i = 0; i < EAGER_CALLS; i++) {
                plan.run(tokens, call);
            }
            host = (System.nanoTime() - start) / 1000.0 / EAGER_CALLS;
            plan.check();
        }
        List<Double> eager = timers.stream().map(GpuTimer::microseconds).toList();
        timers.forEach(GpuTimer::close);
        return new Times(graphs, eager, host);
    }

    private void meet() throws InterruptedException, BrokenBarrierException {
        try {
            together.await(60, TimeUnit.SECONDS);
        } catch (java.util.concurrent.TimeoutException e) {
            throw new IllegalStateException("A rank did not come to the start of a measurement.", e);
        }
    }
}
