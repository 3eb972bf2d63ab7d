package io.lockstep.core.group;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** How messages name ranks. */
final class Names {
    private Names() {}

    /** "rank 2 (pid 4711)", or "rank 2" where the process is not known. */
    static String rank(int rank, long pid) {
        return pid > 0 ? "rank " + rank + " (pid " + pid + ")" : "rank " + rank;
    }

    /** The ranks of a roster that have come, or have not, as messages list them. */
    static String ranks(List<Long> pids, boolean come) {
        return list(IntStream.range(0, pids.size())
                .filter(rank -> pids.get(rank) != 0 == come)
                .mapToObj(rank -> rank(rank, pids.get(rank)))
                .toList());
    }

    /** "a, b and c". */
    static String list(List<String> names) {
        if (names.size() < 2) {
            return String.join("", names);
        }
        List<String> first = new ArrayList<>(names);
        String last = first.removeLast();
        return String.join(", ", first) + " and " + last;
    }
}
