package io.lockstep.gpu.simt;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/** What the ranks have stored beside what the reference says. */
final class Comparison {
    private Comparison() {}

    /** A sentence on the first thing that is wrong, if anything is. */
    static Optional<String> firstWrong(KernelJob job, KernelJob.Result result, Layers layers) {
        if (result.output().status() != 0 || !result.output().text().isEmpty()) {
            return Optional.of("The program ended with status "
                    + result.output().status() + ": " + result.output().text());
        }
        for (int rank = 0; rank < result.ranks().size(); rank++) {
            KernelJob.RankResult ended = result.ranks().get(rank);
            if (ended.what() != 0) {
                return Optional.of("Rank " + rank + " gave up: what " + ended.what() + ", peer " + ended.peer()
                        + ", epoch " + ended.epoch() + ", block " + ended.block() + ".");
            }
            if (ended.lastEpoch() != job.calls().size()) {
                return Optional.of("Rank " + rank + " ended at epoch " + ended.lastEpoch() + ", expected "
                        + job.calls().size() + ".");
            }
        }
        for (int call = 0; call < job.calls().size(); call++) {
            KernelJob.Outputs expected = layers.expected(job.calls().get(call));
            for (int rank = 0; rank < result.ranks().size(); rank++) {
                KernelJob.Outputs found = result.ranks().get(rank).calls().get(call);
                String where = "Call " + call + " (" + job.calls().get(call) + "), rank " + rank + ": ";
                if (!found.keptToItself()) {
                    return Optional.of(where + "something around a tensor was written.");
                }
                Optional<String> wrong = firstWrong(where + "reduced", expected.reduced(), found.reduced(), job)
                        .or(() -> firstWrong(where + "residual out", expected.residualOut(), found.residualOut(), job))
                        .or(() -> firstWrong(where + "out", expected.out(), found.out(), job));
                if (wrong.isPresent()) {
                    return wrong;
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> firstWrong(
            String where, MemorySegment expected, MemorySegment found, KernelJob job) {
        long at = expected.mismatch(found);
        if (at < 0) {
            return Optional.empty();
        }
        int size = job.build().options().dtype().bytes();
        long element = at / size;
        int hidden = job.build().options().hidden();
        return Optional.of(where + " row " + element / hidden + " element " + element % hidden + " is "
                + hex(found, element, size) + ", expected " + hex(expected, element, size) + ".");
    }

    private static String hex(MemorySegment tensor, long element, int size) {
        StringBuilder text = new StringBuilder("0x");
        for (int i = size - 1; i >= 0; i--) {
            text.append(String.format("%02X", tensor.get(ValueLayout.JAVA_BYTE, element * size + i)));
        }
        return text.toString();
    }
}
