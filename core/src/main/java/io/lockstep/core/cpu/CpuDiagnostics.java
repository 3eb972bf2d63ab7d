package io.lockstep.core.cpu;

import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.UsageException;
import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.posix.Affinity;
import java.util.Arrays;
import java.util.BitSet;

/** What a tool that checks or measures CPU ranks needs beside the API. */
public final class CpuDiagnostics {
    private static final int ROUNDS = 2000;
    private static final int BATCHES = 10;

    /** Enough for the compiler to have had its turn. */
    private static final int WARM_UP_ROUNDS = 5000;

    private CpuDiagnostics() {}

    /** The width of the kernels in bits; 0 means scalar code. */
    public static int vectorBits() {
        return Kernels.preferredVectorBits();
    }

    /**
     * Plans an operation with a fault in one rank. Collective, with the same fault on every rank.
     *
     * @throws UsageException if the operation cannot have the fault
     */
    public static Plan plant(Communicator communicator, Operation operation, Fault fault, int faultyRank) {
        if (fault == Fault.SKIP_ROUNDING && operation.dtype() == DType.FP32) {
            throw new UsageException("The fault skip-rounding needs bf16 or fp16: a sum in fp32 is not rounded.");
        }
        return cpu(communicator)
                .plan(
                        operation,
                        ", fault " + fault + " in rank " + faultyRank,
                        (setup, index, waiter, scratch) ->
                                new PlantedLane(fault, faultyRank, setup, index, waiter, scratch));
    }

    /** Plans the same operation as three passes, one after the other: all-reduce, add, RMSNorm. Collective. */
    public static Plan unfused(Communicator communicator, Operation operation) {
        Operation sum = Operation.allReduce(operation.dtype(), operation.hidden(), operation.maxTokens())
                .withAlgorithm(operation.algorithm());
        return new UnfusedPlan(operation, (CpuPlan) communicator.plan(sum), vectorBits());
    }

    /** Binds the calling thread to the processor of this rank's first lane. */
    public static void bind(Communicator communicator) {
        CpuCommunicator cpu = cpu(communicator);
        BitSet one = new BitSet();
        one.set(cpu.machine().processorsOf(cpu.rank())[0]);
        Affinity.bindCurrentThread(one);
    }

    /**
     * How long a word takes from rank 0 to rank 1 and another one back. Collective; the other ranks wait.
     *
     * @return nanoseconds, the median of several batches; on ranks 2 and up, NaN
     */
    public static double roundTripNanos(Communicator communicator) {
        CpuCommunicator cpu = cpu(communicator);
        cpu.enter();
        try {
            cpu.agreement().gather("the start of a round trip", "");
            double nanos = cpu.rank() < 2 ? measure(cpu) : Double.NaN;
            cpu.agreement().gather("the end of a round trip", "");
            return nanos;
        } catch (RuntimeException | Error e) {
            throw cpu.failing(e);
        } finally {
            cpu.exit();
        }
    }

    private static double measure(CpuCommunicator cpu) {
        for (int round = 0; round < WARM_UP_ROUNDS; round++) {
            cpu.standing().roundTrip(cpu.rank());
        }
        double[] batches = new double[BATCHES];
        for (int batch = 0; batch < BATCHES; batch++) {
            long start = System.nanoTime();
            for (int round = 0; round < ROUNDS / BATCHES; round++) {
                cpu.standing().roundTrip(cpu.rank());
            }
            batches[batch] = (double) (System.nanoTime() - start) / (ROUNDS / BATCHES);
        }
        Arrays.sort(batches);
        return batches[BATCHES / 2];
    }

    private static CpuCommunicator cpu(Communicator communicator) {
        if (communicator instanceof CpuCommunicator cpu) {
            return cpu;
        }
        throw new UsageException("This works on CPU ranks alone.");
    }
}
