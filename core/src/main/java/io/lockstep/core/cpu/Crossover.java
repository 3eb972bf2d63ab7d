package io.lockstep.core.cpu;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.core.Version;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * From how many tokens on two-shot is faster than one-shot: measured when planning, by rank 0 for all, in at most a
 * second, and kept in the user's cache folder under everything that it depends on.
 */
final class Crossover {
    private static final long BUDGET_NANOS = 500_000_000L;
    private static final long MOST_BYTES = 4L * 1024 * 1024;
    private static final int CALLS = 9;
    private static final int WINS = 2;
    private static final int WARM_UP_CALLS = 3000;

    /** One-shot takes fewer steps: what looks like a draw goes to it. */
    private static final double CLEARLY = 0.95;

    private final Agreement agreement;
    private final CpuPlan plan;
    private final int rank;
    private final Path file;
    private final String key;

    Crossover(Agreement agreement, CpuPlan plan, int rank, Path folder, String circumstances) {
        this.agreement = agreement;
        this.plan = plan;
        this.rank = rank;
        Operation operation = plan.operation();
        key = String.join(
                " ",
                "lockstep " + Version.current(),
                "cpu",
                circumstances,
                "dtype " + operation.dtype(),
                "hidden " + operation.hidden(),
                "residual " + operation.residual(),
                "norm " + operation.norm());
        file = folder.resolve(String.format(Locale.ROOT, "crossover-%08x.txt", key.hashCode()));
    }

    /** Where results are kept: the folder for caches of the XDG base directories. */
    static Path cacheFolder() {
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path caches = xdg != null && xdg.startsWith("/")
                ? Path.of(xdg)
                : Path.of(System.getProperty("user.home", "."), ".cache");
        return caches.resolve("lockstep");
    }

    /** Collective. The result is the same on every rank. */
    int find() {
        String kept = agreement.decide("a crossover found earlier", rank == 0 ? read() : "");
        if (!kept.isEmpty()) {
            return Integer.parseInt(kept);
        }
        int crossover = measure();
        if (rank == 0) {
            write(crossover);
        }
        return crossover;
    }

    private int measure() {
        Operation operation = plan.operation();
        int most = Math.clamp(MOST_BYTES / operation.rowBytes(), 1, operation.maxTokens());
        try (Arena arena = Arena.ofConfined()) {
            Tensors tensors = tensors(operation, most, arena);
            // Before the compiler has had its turn, both are slow, and neither tells.
            for (int call = 0; call < WARM_UP_CALLS; call++) {
                plan.run(1, tensors, call % 2 == 0 ? Algorithm.ONE_SHOT : Algorithm.TWO_SHOT);
            }
            long start = System.nanoTime();
            int firstWin = Integer.MAX_VALUE;
            int wins = 0;
            for (int tokens = 1; tokens <= most; tokens *= 2) {
                double oneShot = median(tokens, tensors, Algorithm.ONE_SHOT);
                double twoShot = median(tokens, tensors, Algorithm.TWO_SHOT);
                boolean win = twoShot < CLEARLY * oneShot;
                firstWin = win ? Math.min(firstWin, tokens) : Integer.MAX_VALUE;
                wins = win ? wins + 1 : 0;
                boolean enough = wins == WINS || System.nanoTime() - start > BUDGET_NANOS;
                String decision = agreement.decide("the crossover", enough ? Integer.toString(firstWin) : "");
                if (!decision.isEmpty()) {
                    return Integer.parseInt(decision);
                }
            }
            return Integer.parseInt(agreement.decide("the crossover", Integer.toString(firstWin)));
        }
    }

    private double median(int tokens, Tensors tensors, Algorithm algorithm) {
        plan.run(tokens, tensors, algorithm);
        long[] nanos = new long[CALLS];
        for (int call = 0; call < CALLS; call++) {
            long start = System.nanoTime();
            plan.run(tokens, tensors, algorithm);
            nanos[call] = System.nanoTime() - start;
        }
        Arrays.sort(nanos);
        return nanos[CALLS / 2];
    }

    private static Tensors tensors(Operation operation, int tokens, Arena arena) {
        long bytes = tokens * operation.rowBytes();
        Tensors tensors = Tensors.of(arena.allocate(bytes, PlanLayout.LINE));
        if (operation.residual()) {
            tensors = tensors.withResidual(arena.allocate(bytes, PlanLayout.LINE))
                    .withResidualOut(arena.allocate(bytes, PlanLayout.LINE));
        }
        if (operation.norm()) {
            tensors = tensors.withWeight(arena.allocate(operation.rowBytes(), PlanLayout.LINE))
                    .withOut(arena.allocate(bytes, PlanLayout.LINE));
        }
        return operation.residual() || operation.norm()
                ? tensors
                : tensors.withReduced(arena.allocate(bytes, PlanLayout.LINE));
    }

    private String read() {
        try {
            List<String> lines = Files.readAllLines(file);
            if (lines.size() == 2 && lines.getFirst().equals(key)) {
                return Integer.toString(Integer.parseInt(lines.get(1)));
            }
        } catch (IOException | NumberFormatException e) {
            // Not there, or not ours: measured again.
        }
        return "";
    }

    private void write(int crossover) {
        try {
            Files.createDirectories(file.getParent());
            Path temporary = Files.createTempFile(file.getParent(), "crossover", ".tmp");
            Files.writeString(temporary, key + "\n" + crossover + "\n");
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            System.getLogger(Crossover.class.getName())
                    .log(System.Logger.Level.DEBUG, "The crossover is not kept and will be measured again.", e);
        }
    }
}
