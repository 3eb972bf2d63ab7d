package io.lockstep.cli;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.inputs.Shape;
import io.lockstep.core.Backends;
import io.lockstep.core.DType;
import io.lockstep.core.GroupSpec;
import java.util.List;
import picocli.CommandLine.Option;

/** What the commands that start a group have in common: which ranks, where they live, and on what shapes they work. */
final class GroupOptions {
    /** The backend that is a simulated machine: it has no ranks of its own, and no {@link Backends} finds it. */
    static final String SIMULATOR = "sim";

    @Option(names = "--tp", paramLabel = "RANKS", description = "How many ranks, 2 to 8. Default: ${DEFAULT-VALUE}.")
    private int worldSize;

    @Option(
            names = "--shapes",
            paramLabel = "SHAPES",
            description = "TOKENSxHIDDEN, with commas between; 'verify' is the 13 shapes of verify, 'bench' the 10 of "
                    + "bench. Default: ${DEFAULT-VALUE}.")
    private String shapes;

    @Option(names = "--dtype", paramLabel = "TYPE", description = "bf16, fp16 or fp32. Default: ${DEFAULT-VALUE}.")
    private String dtype = DType.BF16.label();

    @Option(
            names = "--threads",
            paramLabel = "COUNT",
            description = "Threads of each rank. Default: the backend chooses.")
    private int threads;

    @Option(names = "--ranks-as", paramLabel = "HOW", description = "processes or threads. Default: ${DEFAULT-VALUE}.")
    private String ranksAs = "processes";

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description =
                    "Where the ranks live: 'lockstep doctor' lists what there is here. Default: ${DEFAULT-VALUE}.")
    private String backend = "cpu";

    /** The options, with the defaults that differ from command to command. */
    GroupOptions(int worldSize, String shapes) {
        this.worldSize = worldSize;
        this.shapes = shapes;
    }

    /** Refuses what no rank could be given, before any is started. */
    void requireRanks() {
        GroupSpec.of("group", 0, worldSize).withThreads(threads);
        if (!isSimulated()) {
            Backends.named(backend);
        }
        if (onGpus() && threads > 0) {
            throw CommandFailure.usage(
                    "--threads is given, but ranks on GPUs compute there: it is for ranks of --backend cpu.");
        }
    }

    /** Whether ranks live on devices, which have memory and streams of their own. */
    boolean onGpus() {
        return !backend.equals("cpu") && !isSimulated();
    }

    int worldSize() {
        return worldSize;
    }

    List<Shape> shapes() {
        return Shape.parse(shapes);
    }

    DType dtype() {
        return DType.of(dtype);
    }

    int threads() {
        return threads;
    }

    /** Whether each rank is a process; else a thread of this JVM. */
    boolean asProcesses() {
        if (!ranksAs.equals("processes") && !ranksAs.equals("threads")) {
            throw CommandFailure.usage("--ranks-as is '" + ranksAs + "': expected processes or threads.");
        }
        return ranksAs.equals("processes");
    }

    String backend() {
        return backend;
    }

    boolean isSimulated() {
        return backend.equals(SIMULATOR);
    }
}
