package io.lockstep.cli.doctor;

import io.lockstep.cli.ranks.Pulse;
import io.lockstep.cli.ranks.Role;
import io.lockstep.cli.ranks.Worker;
import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.cpu.CpuDiagnostics;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The rank's side of {@code doctor}: one sum and one flag. */
public final class DoctorWorker implements Worker<DoctorOrder, DoctorReport> {
    /** What the parent starts. */
    public static final Role<DoctorOrder, DoctorReport> ROLE =
            new Role<>("doctor", DoctorOrder.class, DoctorReport.class, DoctorWorker::new);

    private final Communicator communicator;

    private DoctorWorker(Communicator communicator) {
        this.communicator = communicator;
    }

    @Override
    public DoctorReport handle(DoctorOrder order, Pulse pulse) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment values = arena.allocate(ValueLayout.JAVA_FLOAT, order.elements());
            for (int i = 0; i < order.elements(); i++) {
                values.setAtIndex(ValueLayout.JAVA_FLOAT, i, i + communicator.rank());
            }
            communicator.allReduce(values, DType.FP32, order.elements());
            boolean right = true;
            int ranks = communicator.worldSize();
            for (int i = 0; i < order.elements(); i++) {
                float expected = ranks * i + ranks * (ranks - 1) / 2;
                right &= values.getAtIndex(ValueLayout.JAVA_FLOAT, i) == expected;
            }
            return new DoctorReport(right, CpuDiagnostics.roundTripNanos(communicator));
        }
    }

    @Override
    public void close() {
        // Nothing is kept between orders.
    }
}
