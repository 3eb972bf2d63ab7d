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
 * For how many tokens two-shot is faster than one-shot: measured for every power of two when planning, by rank 0 for
 * all, in at most a second, and kept in the user's cache folder under everything that it depends on.
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
        file = CacheFolder.path().resolve(String.format(Locale.ROOT, "algorithms-%08x.txt", key.hashCode()));
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

        /** Whether to use two-shot for so many tokens where time has run out before, and it has not won. */
        default boolean unmeasured(int tokens) {
            return false;
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
    public Choice find(int most, Trials trials) {
        String kept = agreement.decide("a choice of algorithms made earlier", rank == 0 ? read(most) : "");
        return kept.isEmpty() ? measure(most, trials) : parse(kept);
    }

    private Choice measure(int most, Trials trials) {
        try (Trial trial = trials.prepare(most)) {
            if (!warmUp(trial)) {
                return rest(Choice.ONE_SHOT, 1, trial);
            }
            long start = System.nanoTime();
            Choice choice = Choice.ONE_SHOT;
            int wins = 0;
            for (int tokens = 1; ; tokens *= 2) {
                double oneShot = trial.time(tokens, Algorithm.ONE_SHOT);
                double twoShot = trial.time(tokens, Algorithm.TWO_SHOT);
                boolean win = twoShot < trial.clearly() * oneShot;
                choice = win ? choice.withTwoShot(tokens) : choice;
                wins = win ? wins + 1 : 0;
                boolean last = tokens > most / 2;
                boolean late = System.nanoTime() - start > BUDGET_NANOS;
                // More than is measured goes as the last measurement did, if that was won.
                Choice found = win ? choice.withTwoShotFrom(tokens) : last ? choice : rest(choice, 2 * tokens, trial);
                String decision = agreement.decide("the choice of algorithms", last || late ? format(found) : "");
                if (!decision.isEmpty()) {
                    // What a busy machine has left no time for is measured again the next time.
                    keep(parse(decision), most, last || wins >= WINS);
                    return parse(decision);
                }
            }
        }
    }

    /** From so many tokens on as the trial says, up to the largest power of two. */
    private static Choice rest(Choice choice, int from, Trial trial) {
        Choice all = choice;
        for (int tokens = from; tokens > 0; tokens *= 2) {
            all = trial.unmeasured(tokens) ? all.withTwoShot(tokens) : all;
        }
        return all;
    }

    private static String format(Choice choice) {
        return Integer.toHexString(choice.twoShot());
    }

    private static Choice parse(String text) {
        return new Choice(Integer.parseUnsignedInt(text, 16));
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

    private void keep(Choice choice, int most, boolean measured) {
        if (rank == 0 && measured) {
            write(choice, most);
        }
    }

    /** Empty if nothing is kept, or what is kept was found with fewer tokens and says nothing of more. */
    private String read(int most) {
        try {
            List<String> lines = Files.readAllLines(file);
            if (lines.size() == 3 && lines.getFirst().equals(key)) {
                Choice choice = parse(lines.get(1));
                boolean tells =
                        choice.of(Integer.MAX_VALUE) == Algorithm.TWO_SHOT || Integer.parseInt(lines.get(2)) >= most;
                return tells ? format(choice) : "";
            }
        } catch (IOException | NumberFormatException e) {
            // Not there, or not ours: measured again.
        }
        return "";
    }

    private void write(Choice choice, int most) {
        try {
            Files.createDirectories(file.getParent());
            Path temporary = Files.createTempFile(file.getParent(), "crossover", ".tmp");
            Files.writeString(temporary, key + "\n" + format(choice) + "\n" + most + "\n");
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            System.getLogger(Crossover.class.getName())
                    .log(
                            System.Logger.Level.DEBUG,
                            "The choice of algorithms is not kept and will be measured again.",
                            e);
        }
    }
}
