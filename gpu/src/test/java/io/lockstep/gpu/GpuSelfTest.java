package io.lockstep.gpu;

import io.lockstep.core.Backends;
import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Operation;
import io.lockstep.core.Readiness;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Tries ranks on real GPUs from one JVM: every exchange against the specification, bit for bit, and every failure that
 * a caller can meet. A program of its own, since no build machine has GPUs.
 *
 * <pre>
 * GpuSelfTest [--backend cuda] [--tp 2] [--processes no] [--shapes 1x2880,16x4096] [--dtypes bf16,fp16,fp32] [--iterations 5] [--seed 1]
 *             [--calls 60x2880]
 * </pre>
 *
 * With {@code --processes yes} every rank is a process, and each prints its own lines.
 *
 * <p>A line for each check, and a last one that counts them. Exit code 0 if all are right, 1 if not, 3 without GPUs.
 */
public final class GpuSelfTest {
    private static final String SHAPES = "1x2880,3x2880,64x2880,300x2880,16x4096,13x2040,17x7168,5x33,33x1000,9x12345";
    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final Duration STUCK = Duration.ofSeconds(60);

    final Map<String, String> options;
    final int worldSize;

    /** Whether this is one rank among processes, and not all of them. */
    final boolean process;

    final int iterations;
    final long seed;
    private int right;
    private final List<String> wrong = new ArrayList<>();
    private int groups;

    private GpuSelfTest(Map<String, String> options) {
        this.options = options;
        process = System.getenv("LOCKSTEP_RANK") != null;
        worldSize =
                Integer.parseInt(process ? System.getenv("LOCKSTEP_WORLD_SIZE") : options.getOrDefault("--tp", "2"));
        iterations = Integer.parseInt(options.getOrDefault("--iterations", "5"));
        seed = Long.parseLong(options.getOrDefault("--seed", "1"));
    }

    /** The setting alone, for measuring in it. */
    static GpuSelfTest of(Map<String, String> options) {
        return new GpuSelfTest(options);
    }

    public static void main(String[] arguments) {
        Map<String, String> options = new LinkedHashMap<>();
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            options.put(arguments[i], arguments[i + 1]);
        }
        GpuSelfTest test = new GpuSelfTest(options);
        Readiness readiness = Backends.all().stream()
                .filter(backend -> backend.name().equals(test.backend()))
                .findFirst()
                .orElseThrow()
                .probe();
        System.out.println(readiness);
        if (readiness instanceof Readiness.NotReady) {
            System.exit(3);
        }
        if (!test.process && options.getOrDefault("--processes", "no").equals("yes")) {
            Runtime.getRuntime().halt(SelfTestProcesses.start(test.worldSize, arguments));
        }
        test.run();
        System.out.println(test.prefix() + test.right + " checks right, " + test.wrong.size() + " wrong");
        // Threads that still wait on a device are not waited for.
        Runtime.getRuntime().halt(test.wrong.isEmpty() ? 0 : 1);
    }

    private String prefix() {
        return process ? "[rank " + System.getenv("LOCKSTEP_RANK") + "] " : "";
    }

    private String backend() {
        return options.getOrDefault("--backend", "cuda");
    }

    /** All checks, one after the other. */
    void run() {
        Map<Integer, List<Integer>> tokensOfHidden = new TreeMap<>();
        for (String shape : options.getOrDefault("--shapes", SHAPES).split(",", -1)) {
            String[] parts = shape.split("x", -1);
            tokensOfHidden
                    .computeIfAbsent(Integer.parseInt(parts[1]), hidden -> new ArrayList<>())
                    .add(Integer.parseInt(parts[0]));
        }
        List<DType> dtypes = Arrays.stream(
                        options.getOrDefault("--dtypes", "bf16,fp16,fp32").split(",", -1))
                .map(DType::of)
                .toList();
        for (DType dtype : dtypes) {
            tokensOfHidden.forEach((hidden, tokens) -> {
                Operation operation = Operation.allReduceResidualRmsNorm(
                        dtype, hidden, tokens.stream().max(Integer::compare).orElseThrow());
                new SelfTestBits(this, operation, tokens).run();
            });
        }
        Operation parts = Operation.allReduceResidualRmsNorm(DType.BF16, 1000, 40);
        new SelfTestBits(this, parts.withResidual(false), List.of(1, 40)).run();
        new SelfTestBits(this, Operation.allReduce(DType.FP16, 1000, 40), List.of(1, 40)).run();
        String[] calls = options.getOrDefault("--calls", "60x2880").split("x", -1);
        new SelfTestCalls(
                        this,
                        Operation.allReduceResidualRmsNorm(
                                DType.BF16, Integer.parseInt(calls[1]), Integer.parseInt(calls[0])))
                .run();
    }

    int right() {
        return right;
    }

    /** The lines of the checks that went wrong. */
    List<String> wrong() {
        return wrong;
    }

    /** Does one thing and says how it went; whatever is thrown is a failure with its own sentence. */
    void check(String name, Callable<String> body) {
        long start = System.nanoTime();
        String result;
        try {
            result = body.call();
        } catch (Throwable t) {
            Throwable cause = t instanceof ExecutionException && t.getCause() != null ? t.getCause() : t;
            result = "!" + cause;
            if (!(cause instanceof io.lockstep.core.LockstepException)) {
                cause.printStackTrace(System.out);
            }
        }
        boolean bad = result.startsWith("!");
        String line = String.format(
                "%s%s %s: %s (%d ms)",
                prefix(),
                bad ? "WRONG" : "ok   ",
                name,
                bad ? result.substring(1) : result,
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
        if (bad) {
            wrong.add(line);
        } else {
            right++;
        }
        System.out.println(line);
        System.out.flush();
    }

    GroupSpec spec() {
        GroupSpec spec = process
                // Every check forms a group of its own.
                ? GroupSpec.of(
                        System.getenv("LOCKSTEP_GROUP") + "-" + groups++,
                        Integer.parseInt(System.getenv("LOCKSTEP_RANK")),
                        worldSize)
                : GroupSpec.of("self-test", 0, worldSize);
        return spec.withBackend(backend()).withCallTimeout(DEADLINE).withJoinTimeout(STUCK);
    }

    /** What one rank does; the result is a complaint, or empty. */
    interface RankBody {
        String run(GpuCommunicator communicator) throws Exception;
    }

    /** The ranks of this process, each on a thread of its own. */
    static final class Group implements AutoCloseable {
        final List<Communicator> ranks;
        private final ExecutorService threads;

        Group(GroupSpec spec) {
            ranks = System.getenv("LOCKSTEP_RANK") != null
                    ? List.of(Communicator.join(spec))
                    : Communicator.threads(spec);
            threads = Executors.newFixedThreadPool(ranks.size(), task -> {
                Thread thread = new Thread(task, "rank");
                thread.setDaemon(true);
                return thread;
            });
        }

        /** The complaints of all ranks. */
        List<String> each(RankBody body) throws Exception {
            List<Future<String>> running = new ArrayList<>();
            for (Communicator rank : ranks) {
                running.add(threads.submit(() -> body.run((GpuCommunicator) rank)));
            }
            List<String> complaints = new ArrayList<>();
            ExecutionException first = null;
            for (Future<String> one : running) {
                try {
                    complaints.add(one.get(STUCK.toSeconds(), TimeUnit.SECONDS));
                } catch (ExecutionException e) {
                    first = first == null ? e : first;
                } catch (TimeoutException e) {
                    complaints.add("a rank is stuck for " + STUCK.toSeconds() + " s; ");
                }
            }
            if (first != null) {
                throw first;
            }
            return complaints;
        }

        /** One answer for all: what they complain about, or this. */
        static String all(List<String> complaints, String otherwise) {
            StringBuilder text = new StringBuilder();
            for (int rank = 0; rank < complaints.size(); rank++) {
                if (!complaints.get(rank).isEmpty()) {
                    text.append(" rank ").append(rank).append(": ").append(complaints.get(rank));
                }
            }
            return text.isEmpty() ? otherwise : "!" + text;
        }

        @Override
        public void close() {
            try {
                each(communicator -> {
                    communicator.close();
                    return "";
                });
            } catch (Exception e) {
                System.out.println("      on closing: " + e.getCause());
            }
            threads.shutdown();
        }
    }
}
