package io.lockstep.gpu.simt;

import java.util.Arrays;
import java.util.List;
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
                List<byte[][]> tensors = List.of(
                        new byte[][] {expected.reduced(), found.reduced()},
                        new byte[][] {expected.residualOut(), found.residualOut()},
                        new byte[][] {expected.out(), found.out()});
                for (int tensor = 0; tensor < tensors.size(); tensor++) {
                    byte[][] pair = tensors.get(tensor);
                    int at = Arrays.mismatch(pair[0], pair[1]);
                    if (at >= 0) {
                        int size = job.build().options().dtype().bytes();
                        int element = at / size;
                        return Optional.of(where
                                + List.of("reduced", "residual out", "out").get(tensor) + " element "
                                + element + " of row length "
                                + job.build().options().hidden() + " is "
                                + hex(pair[1], element, size) + ", expected " + hex(pair[0], element, size) + ".");
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static String hex(byte[] bytes, int element, int size) {
        StringBuilder text = new StringBuilder("0x");
        for (int i = size - 1; i >= 0; i--) {
            text.append(String.format("%02X", bytes[element * size + i]));
        }
        return text.toString();
    }
}
