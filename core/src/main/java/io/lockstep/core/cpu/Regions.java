package io.lockstep.core.cpu;

import io.lockstep.core.DriverException;
import io.lockstep.core.group.SharedMemory;
import io.lockstep.core.planning.Agreement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which plan has which range of the group's memory. Rank 0 decides, the others follow. A range is given to another plan
 * once every rank has closed the one it belonged to.
 */
final class Regions {
    private static final String REFUSED = "refused: ";

    private final SharedMemory memory;
    private final long firstBytes;
    private final Map<Integer, Range> used = new HashMap<>();
    private final Map<Integer, Integer> closedBy = new HashMap<>();
    private final List<Range> free = new ArrayList<>();

    private record Range(long offset, long bytes) {}

    Regions(SharedMemory memory, long firstBytes) {
        this.memory = memory;
        this.firstBytes = up(firstBytes, memory.pageSize());
    }

    /** The bytes before the first plan. */
    long firstBytes() {
        return firstBytes;
    }

    /** On rank 0, before anybody maps. */
    void open() {
        memory.grow(firstBytes);
        memory.commit(0, firstBytes);
    }

    /** Takes note of the plans that each rank has closed since it last said. */
    void giveBack(List<String> closedByRank) {
        for (String list : closedByRank) {
            for (String id : list.replaceAll("[\\[\\] ]", "").split(",", -1)) {
                if (!id.isEmpty() && closedBy.merge(Integer.valueOf(id), 1, Integer::sum) == closedByRank.size()) {
                    Range range = used.remove(Integer.valueOf(id));
                    if (range != null) {
                        memory.release(range.offset(), range.bytes());
                        free.add(range);
                    }
                }
            }
        }
    }

    /**
     * The range of a new plan, all of it zeros, its pages there but for the input buffers.
     *
     * @throws DriverException on every rank, if the machine has too little memory
     */
    long agreeOn(int plan, PlanLayout layout, int rank, Agreement agreement) {
        String mine = "";
        if (rank == 0) {
            try {
                mine = Long.toString(take(plan, layout));
            } catch (DriverException e) {
                mine = REFUSED + e.getMessage();
            }
        }
        String decided = agreement.decide("where the plan's memory lies", mine);
        if (decided.startsWith(REFUSED)) {
            throw new DriverException("Planning: " + decided.substring(REFUSED.length()));
        }
        return Long.parseLong(decided);
    }

    private long take(int plan, PlanLayout layout) {
        long bytes = up(layout.bytes(), memory.pageSize());
        Range range = free.stream()
                .filter(candidate -> candidate.bytes() == bytes)
                .findFirst()
                .orElse(null);
        if (range == null) {
            range = new Range(memory.size(), bytes);
            memory.grow(range.offset() + bytes);
        } else {
            free.remove(range);
        }
        memory.commit(range.offset(), layout.committedBytes());
        used.put(plan, range);
        return range.offset();
    }

    private static long up(long value, long multiple) {
        return (value + multiple - 1) / multiple * multiple;
    }
}
