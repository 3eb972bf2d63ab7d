package io.lockstep.core.planning;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Operation;
import io.lockstep.core.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * From how many tokens on two-shot is faster than one-shot: measured when planning, by rank 0 for all, in at most a
 * second, and kept in the user's cache folder under everything that it depends on.
 */
public final class Crossover {
    private static final long BUDGET_NANOS = 500_000_000L;
    private static final Duration WARM_UP = Duration.ofMillis(500);
    private static final int WINS = 2;
    private static final String WARM = "warm";
    private static final String COLD = "cold";

    /** One-shot takes fewer steps: what looks like a draw goes to it. */
    private static final double CLEARLY = 0.95;

    private final Agreement agreement;
    private final int rank;
    private final Path file;
    private final String key;

    /**
     * @param circumstances what the speed of the algorithms depends on, beside the operation: the backend, its devices,
     *     the number of ranks
     */
    public Crossover(Agreement agreement, int rank, Operation operation, String circumstances) {
        this.agreement = agreement;
        this.rank = rank;
        key = String.join(
                " ",
                "lockstep " + Version.current(),
                circumstances,
                "dtype " + operation.dtype(),
                "hidden " + operation.hidden(),
                "residual " + operation.residual(),
                "norm " + operation.norm());
        file = CacheFolder.path().resolve(String.format(Locale.ROOT, "crossover-%08x.txt", key.hashCode()));
    }

    /** Measures calls. Collective: every rank makes the same ones. */
    public interface Trial extends AutoCloseable {
        /** Makes calls of both algorithms, so that their times mean something. */
        void warmUp();

        /** How often it takes to warm up. */
        default int warmUps() {
            return 1;
        }

        /** How long that may take: if it takes longer, nothing is measured. */
        default Duration warmUpTime() {
            return WARM_UP;
        }

        /** The time of a call, in any unit. */
        double time(int tokens, Algorithm algorithm);

        /** Two-shot wins if it takes less than this share of the time of one-shot. */
        default double clearly() {
            return CLEARLY;
        }

        /**
         * From how many tokens on to use two-shot where time has run out after so many, 0 for none, and nothing is
         * known of more.
         */
        default int unmeasured(int tokens) {
            return Integer.MAX_VALUE;
        }

        @Override
        void close();
    }

    /** How a trial is prepared, for calls of so many tokens at the most. */
    @FunctionalInterface
    public interface Trials {
        /** A new one. */
        Trial prepare(int tokens);
    }

    /**
     * Collective. The result is the same on every rank.
     *
     * @param most the most tokens with which one-shot may be used and the operation be called
     */
    public int find(int most, Trials trials) {
        String kept = agreement.decide("a crossover found earlier", rank == 0 ? read(most) : "");
        if (!kept.isEmpty()) {
            return Integer.parseInt(kept);
        }
        return measure(most, trials);
    }

    private int measure(int most, Trials trials) {
        try (Trial trial = trials.prepare(most)) {
            if (!warmUp(trial)) {
                return trial.unmeasured(0);
            }
            long start = System.nanoTime();
            int firstWin = Integer.MAX_VALUE;
            int wins = 0;
            for (int tokens = 1; tokens <= most; tokens *= 2) {
                double oneShot = trial.time(tokens, Algorithm.ONE_SHOT);
                double twoShot = trial.time(tokens, Algorithm.TWO_SHOT);
                boolean win = twoShot < trial.clearly() * oneShot;
                firstWin = win ? Math.min(firstWin, tokens) : Integer.MAX_VALUE;
                wins = win ? wins + 1 : 0;
                boolean late = System.nanoTime() - start > BUDGET_NANOS;
                int found = late && wins == 0 ? trial.unmeasured(tokens) : firstWin;
                String decision =
                        agreement.decide("the crossover", wins == WINS || late ? Integer.toString(found) : "");
                if (!decision.isEmpty()) {
                    // What a busy machine has left no time for is measured again the next time.
                    keep(Integer.parseInt(decision), most, wins == WINS);
                    return Integer.parseInt(decision);
                }
            }
            int crossover = Integer.parseInt(agreement.decide("the crossover", Integer.toString(firstWin)));
            keep(crossover, most, true);
            return crossover;
        }
    }

    /** Whether it is warm: times of code that is not compiled yet say nothing. The same on every rank. */
    private boolean warmUp(Trial trial) {
        long end = System.nanoTime() + trial.warmUpTime().toNanos();
        for (int round = 1; ; round++) {
            trial.warmUp();
            String outcome = round == trial.warmUps() ? WARM : System.nanoTime() > end ? COLD : "";
            String decision = agreement.decide("the end of the warm-up", outcome);
            if (!decision.isEmpty()) {
                return decision.equals(WARM);
            }
        }
    }

    private void keep(int crossover, int most, boolean measured) {
        if (rank == 0 && measured) {
            write(crossover, most);
        }
    }

    /** Empty if nothing is kept, or what is kept was found with fewer tokens and says only that they were too few. */
    private String read(int most) {
        try {
            List<String> lines = Files.readAllLines(file);
            if (lines.size() == 3 && lines.getFirst().equals(key)) {
                int crossover = Integer.parseInt(lines.get(1));
                boolean tells = crossover < Integer.MAX_VALUE || Integer.parseInt(lines.get(2)) >= most;
                return tells ? Integer.toString(crossover) : "";
            }
        } catch (IOException | NumberFormatException e) {
            // Not there, or not ours: measured again.
        }
        return "";
    }

    private void write(int crossover, int most) {
        try {
            Files.createDirectories(file.getParent());
            Path temporary = Files.createTempFile(file.getParent(), "crossover", ".tmp");
            Files.writeString(temporary, key + "\n" + crossover + "\n" + most + "\n");
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            System.getLogger(Crossover.class.getName())
                    .log(System.Logger.Level.DEBUG, "The crossover is not kept and will be measured again.", e);
        }
    }
}
