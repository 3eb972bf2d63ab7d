package io.lockstep.gpu.host;

import io.lockstep.core.DType;
import io.lockstep.gpu.driver.Collectives;
import io.lockstep.gpu.driver.Stream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/** A library of collectives for devices that are threads: fp32 alone, added from the last rank to the first. */
final class HostLibrary implements Collectives {
    private record Group(AtomicLongArray inputs, CyclicBarrier together) {}

    private record Member(Group group, int rank) {}

    private final Map<Integer, Group> groups = new ConcurrentHashMap<>();
    private final Map<Long, Member> members = new ConcurrentHashMap<>();
    private final AtomicLong numbers = new AtomicLong();
    private final List<String> calls = new ArrayList<>();
    private HostDriver driver = new HostDriver();

    /** A driver whose devices do not reach one another and that has this library. */
    HostDriver driver() {
        driver = HostDriver.withoutPeerAccess(this);
        return driver;
    }

    /** What was asked of it. */
    synchronized List<String> calls() {
        return List.copyOf(calls);
    }

    /** How many places in groups are taken. */
    int members() {
        return members.size();
    }

    @Override
    public String identity() {
        return "a library of the host";
    }

    @Override
    public byte[] newGroup() {
        return new byte[] {(byte) numbers.incrementAndGet()};
    }

    @Override
    public long join(int device, byte[] group, int ranks, int rank) {
        Group mine = groups.computeIfAbsent(
                (int) group[0], number -> new Group(new AtomicLongArray(ranks), new CyclicBarrier(ranks)));
        long member = numbers.incrementAndGet();
        members.put(member, new Member(mine, rank));
        return member;
    }

    @Override
    public void allReduce(long member, long from, long to, long elements, DType dtype, Stream stream) {
        if (dtype != DType.FP32) {
            throw new IllegalArgumentException(dtype.toString());
        }
        Member mine = Objects.requireNonNull(members.get(member));
        synchronized (this) {
            calls.add("rank " + mine.rank() + ": " + elements);
        }
        driver.queue(stream, () -> {
            Group group = mine.group();
            group.inputs().set(mine.rank(), from);
            meet(group);
            float[] sums = new float[(int) elements];
            for (int rank = group.inputs().length() - 1; rank >= 0; rank--) {
                MemorySegment input = floats(group.inputs().get(rank), elements);
                for (int i = 0; i < elements; i++) {
                    sums[i] += input.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                }
            }
            // Before any output, which may be an input.
            meet(group);
            MemorySegment.copy(sums, 0, floats(to, elements), ValueLayout.JAVA_FLOAT, 0, sums.length);
        });
    }

    @SuppressWarnings("restricted")
    private static MemorySegment floats(long address, long elements) {
        return MemorySegment.ofAddress(address).reinterpret(elements * Float.BYTES);
    }

    private static void meet(Group group) {
        try {
            group.together().await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (BrokenBarrierException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void leave(long member) {
        members.remove(member);
    }
}
