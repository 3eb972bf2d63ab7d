package io.lockstep.core.cpu;

import io.lockstep.core.GroupSpec;
import io.lockstep.core.Readiness;
import io.lockstep.core.group.Membership;
import io.lockstep.core.planning.Agreement;
import io.lockstep.core.posix.Affinity;
import io.lockstep.core.posix.Libc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.stream.Stream;

/**
 * How the ranks share the processors of their machine, agreed on when the group opens.
 *
 * @param lanes how many threads each rank computes with
 * @param processors the processors of all ranks, in order
 * @param crowded whether there are fewer of them than lanes of all ranks
 * @param canSleepOnWords whether the kernel can sleep on a word of shared memory
 */
record Machine(int lanes, List<Integer> processors, boolean crowded, boolean canSleepOnWords) {
    private static final int MOST_LANES = 64;

    static Machine agree(GroupSpec spec, Membership membership, Agreement agreement) {
        boolean linux = Libc.probe() instanceof Readiness.Ready;
        BitSet mine = new BitSet();
        if (linux) {
            mine = Affinity.ofCurrentThread();
        } else {
            mine.set(0, Runtime.getRuntime().availableProcessors());
        }
        agreement.requireSame(
                "the number of threads", spec.threads() == 0 ? "the backend's choice" : spec.threads() + " threads");
        BitSet union = new BitSet();
        for (String mask : agreement.gather("processors", mine.toString())) {
            for (String processor : mask.replaceAll("[{} ]", "").split(",", -1)) {
                union.set(Integer.parseInt(processor));
            }
        }
        List<Integer> processors = new ArrayList<>(union.stream().boxed().toList());
        int world = membership.worldSize();
        int lanes = spec.threads() > 0 ? spec.threads() : Math.clamp(processors.size() / world, 1, MOST_LANES);
        return new Machine(lanes, processors, processors.size() < lanes * world, linux);
    }

    /** What this machine's processor is called, as far as the system says. */
    static String processorModel() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException | UncheckedIOException e) {
            return System.getProperty("os.arch");
        }
    }

    /** The processor of each lane of a rank; several share one where there are too few. */
    int[] processorsOf(int rank) {
        int[] mine = new int[lanes];
        for (int lane = 0; lane < lanes; lane++) {
            mine[lane] = processors.get((rank * lanes + lane) % processors.size());
        }
        return mine;
    }
}
