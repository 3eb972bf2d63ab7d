package io.lockstep.core;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads a {@link GroupSpec} from environment variables. The launchers are asked in order, and the first that left a
 * trace is taken: a variable of it that is missing or wrong is an error, never a reason to try the next.
 */
final class Environment {
    private static final Pattern TIME = Pattern.compile("(\\d{1,12})(\\.\\d{1,3})?(ms|s)?");
    private static final int LONGEST_GROUP = 64;

    private final Map<String, String> variables;

    private Environment(Map<String, String> variables) {
        this.variables = variables;
    }

    /** One launcher: what it calls rank and world size, and from what it names the group (the first that is set). */
    private record Launcher(String name, String rank, String worldSize, List<List<String>> groups) {}

    private static final List<Launcher> LAUNCHERS = List.of(
            new Launcher("Lockstep", "LOCKSTEP_RANK", "LOCKSTEP_WORLD_SIZE", List.of(List.of("LOCKSTEP_GROUP"))),
            new Launcher(
                    "torchrun",
                    "RANK",
                    "WORLD_SIZE",
                    // Without a rendezvous the run is called "none" by every torchrun of the machine.
                    List.of(
                            List.of("TORCHELASTIC_RUN_ID", "MASTER_PORT"),
                            List.of("TORCHELASTIC_RUN_ID"),
                            List.of("MASTER_PORT"))),
            new Launcher(
                    "Open MPI",
                    "OMPI_COMM_WORLD_RANK",
                    "OMPI_COMM_WORLD_SIZE",
                    List.of(List.of("PMIX_NAMESPACE"), List.of("OMPI_MCA_ess_base_jobid"))),
            new Launcher("Slurm", "SLURM_PROCID", "SLURM_NTASKS", List.of(List.of("SLURM_JOB_ID", "SLURM_STEP_ID"))));

    /** See {@link GroupSpec#fromEnvironment}. */
    static GroupSpec parse(Map<String, String> variables) {
        return new Environment(variables).parse();
    }

    private GroupSpec parse() {
        Launcher launcher = LAUNCHERS.stream()
                .filter(this::leftATrace)
                .findFirst()
                .orElseThrow(() -> new UsageException("No launcher left its variables in the environment: expected"
                        + " LOCKSTEP_RANK, LOCKSTEP_WORLD_SIZE and LOCKSTEP_GROUP, or those of torchrun, Open MPI or"
                        + " Slurm. Start with 'lockstep run', or give the group in the program."));
        int rank = count(launcher, launcher.rank());
        int worldSize = count(launcher, launcher.worldSize());
        refuseSeveralMachines(launcher, worldSize);
        GroupSpec spec = GroupSpec.of(group(launcher), rank, worldSize);
        return spec.withCallTimeout(time("LOCKSTEP_TIMEOUT", spec.callTimeout()))
                .withJoinTimeout(time("LOCKSTEP_JOIN_TIMEOUT", spec.joinTimeout()))
                .withThreads(set("LOCKSTEP_THREADS") == null ? spec.threads() : count(launcher, "LOCKSTEP_THREADS"))
                .withBackend(Optional.ofNullable(set("LOCKSTEP_BACKEND")).orElse(spec.backend()));
    }

    private boolean leftATrace(Launcher launcher) {
        // The group alone decides only for ours: MASTER_PORT and job names are set by much else.
        Stream<String> traces = Stream.of(launcher.rank(), launcher.worldSize());
        if (launcher.name().equals("Lockstep")) {
            traces = Stream.concat(traces, Stream.of("LOCKSTEP_GROUP"));
        }
        if (launcher.name().equals("Slurm")) {
            // A batch script has SLURM_NTASKS; only what srun starts has a rank.
            traces = Stream.of(launcher.rank());
        }
        return traces.anyMatch(name -> set(name) != null);
    }

    private String group(Launcher launcher) {
        for (List<String> names : launcher.groups()) {
            List<String> values =
                    names.stream().map(this::set).filter(value -> value != null).toList();
            if (values.size() == names.size()) {
                String joined = String.join(".", values);
                return launcher.name().equals("Lockstep") ? joined : name(joined);
            }
        }
        List<String> last = launcher.groups().getLast();
        String missing =
                last.stream().filter(name -> set(name) == null).findFirst().orElse(last.getFirst());
        throw missing(launcher, missing, "the name of the group");
    }

    /** A group's name out of what a launcher calls its job, which may hold any characters at any length. */
    private static String name(String job) {
        String name = "job-" + job.replaceAll("[^A-Za-z0-9._-]", "_");
        return name.length() <= LONGEST_GROUP
                ? name
                // The ends of such names differ, and where they do not, their hash does.
                : name.substring(0, LONGEST_GROUP - 9) + "-" + String.format("%08x", job.hashCode());
    }

    private void refuseSeveralMachines(Launcher launcher, int worldSize) {
        String local = switch (launcher.name()) {
            case "torchrun" -> "LOCAL_WORLD_SIZE";
            case "Open MPI" -> "OMPI_COMM_WORLD_LOCAL_SIZE";
            default -> "";
        };
        if (set(local) != null && count(launcher, local) != worldSize) {
            throw new UsageException(launcher.name() + " started " + worldSize + " ranks (" + launcher.worldSize()
                    + "), of which " + set(local) + " run on this machine (" + local
                    + "): expected all on one, since ranks meet in its memory. Start one group per machine.");
        }
        String nodes = launcher.name().equals("Slurm") ? set("SLURM_STEP_NUM_NODES") : null;
        if (nodes != null && !nodes.equals("1")) {
            throw new UsageException("Slurm started the ranks on " + nodes
                    + " machines (SLURM_STEP_NUM_NODES): expected 1, since ranks meet in its memory. Use srun"
                    + " --nodes=1.");
        }
    }

    private int count(Launcher launcher, String name) {
        String value = set(name);
        if (value == null) {
            throw missing(launcher, name, "a number");
        }
        try {
            int number = Integer.parseInt(value);
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below, as a negative number is.
        }
        throw new UsageException(name + " is '" + value + "': expected a number, 0 or more.");
    }

    private Duration time(String name, Duration standard) {
        String value = set(name);
        if (value == null) {
            return standard;
        }
        Matcher time = TIME.matcher(value);
        if (time.matches()) {
            String unit = time.group(3);
            boolean milliseconds = unit != null && unit.equals("ms");
            double count = Double.parseDouble(value.substring(0, unit == null ? value.length() : time.start(3)));
            Duration duration = Duration.ofMillis(Math.round(milliseconds ? count : count * 1000));
            if (duration.isPositive()) {
                return duration;
            }
        }
        throw new UsageException(name + " is '" + value
                + "': expected a time above 0 such as 30, 1.5, 30s or 500ms (seconds if no unit).");
    }

    private UsageException missing(Launcher launcher, String name, String expected) {
        String found = Stream.concat(
                        Stream.of(launcher.rank(), launcher.worldSize()),
                        launcher.groups().stream().flatMap(List::stream))
                .filter(other -> set(other) != null)
                .map(other -> other + "=" + set(other))
                .distinct()
                .reduce((a, b) -> a + ", " + b)
                .orElse("nothing");
        return new UsageException(name + " is not set: expected " + expected + ", since " + launcher.name()
                + " seems to have started this process (found " + found + ").");
    }

    /** The value of a variable; one that is empty counts as not set. */
    private @Nullable String set(String name) {
        String value = variables.getOrDefault(name, "").strip();
        return value.isEmpty() ? null : value;
    }
}
